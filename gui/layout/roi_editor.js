// Draws ROIs over a picture. A drag happens here alone: Python hears one message, when the pointer goes up.
// Pixels: (0, 0) is the centre of the first one, so the picture begins at -0.5. Angles: degrees, clockwise.
// An item: {key, type: roi|mark|search, name, kind: rect|circle|annulus, x, y, w, h | cx, cy, r[, r_inner], angle, bad}.

const REACH = 34; // px on screen: handles of a small shape stay that far from its centre, apart for a gloved finger
const SLACK = 5; // px on screen: less is a tap, not a drag
const STEM = 46; // px on screen from the shape to the handle that turns it
const LEAST = 4; // px of the picture: no handle makes a shape smaller
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WITH_CTRL = { z: "undo", y: "redo", c: "copy", v: "paste", d: "duplicate", s: "save" };

const round = (value) => Math.round(value * 10) / 10;
const clamp = (value, low, high) => Math.max(low, Math.min(value, Math.max(low, high)));
const isRect = (item) => item.kind === "rect";

function centre(item) {
  return isRect(item) ? [item.x + (item.w - 1) / 2, item.y + (item.h - 1) / 2] : [item.cx, item.cy];
}

function half(item) {
  return isRect(item) ? [item.w / 2, item.h / 2] : [item.r, item.r];
}

function turned([x, y], degrees) {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return [c * x - s * y, s * x + c * y];
}

/** Half the width and height of the upright box around the turned shape. */
function reach(item) {
  const [w, h] = half(item);
  if (!isRect(item)) return [w, h];
  const [c, s] = turned([1, 0], item.angle).map(Math.abs);
  return [c * w + s * h, s * w + c * h];
}

function placed(item, x, y) {
  return isRect(item) ? { ...item, x: x - (item.w - 1) / 2, y: y - (item.h - 1) / 2 } : { ...item, cx: x, cy: y };
}

/** Shifted, but not out of a picture of that size. */
function shifted(item, dx, dy, width, height) {
  const [x, y] = centre(item);
  const [w, h] = reach(item);
  return placed(item, clamp(x + dx, w - 0.5, width - 0.5 - w), clamp(y + dy, h - 0.5, height - 0.5 - h));
}

/** A corner or edge pulled to a point; what lies opposite stays. `sides`: -1, 0 or 1 in x and y before the turn. */
function pulled(item, sides, point) {
  const [cx, cy] = centre(item);
  const old = half(item);
  const [px, py] = turned([point[0] - cx, point[1] - cy], -item.angle);
  const size = [px, py].map((p, i) => (sides[i] ? Math.max(LEAST, sides[i] * p + old[i]) : 2 * old[i]));
  const moved = turned(size.map((s, i) => sides[i] * (s / 2 - old[i])), item.angle);
  return placed({ ...item, w: size[0], h: size[1] }, cx + moved[0], cy + moved[1]);
}

function room(x, y, width, height) {
  return Math.min(x, y, width - 1 - x, height - 1 - y) + 0.5;
}

function widened(item, radius, width, height) {
  const least = item.kind === "annulus" ? Math.max(LEAST, item.r_inner + 2) : LEAST;
  return { ...item, r: clamp(radius, least, Math.max(item.r, room(item.cx, item.cy, width, height))) };
}

function drawn(kind, a, b, width, height) {
  const inside = ([x, y]) => [clamp(x, -0.5, width - 0.5), clamp(y, -0.5, height - 0.5)];
  [a, b] = [inside(a), inside(b)];
  if (kind === "rect" || kind === "mark") {
    const [x, y] = [Math.min(a[0], b[0]) + 0.5, Math.min(a[1], b[1]) + 0.5];
    return { kind: "rect", x, y, w: Math.abs(a[0] - b[0]), h: Math.abs(a[1] - b[1]), angle: 0 };
  }
  const r = Math.min(Math.hypot(a[0] - b[0], a[1] - b[1]), room(a[0], a[1], width, height));
  const circle = { kind, cx: a[0], cy: a[1], r, angle: 0 };
  return kind === "annulus" ? { ...circle, r_inner: 0.6 * r } : circle;
}

function ring(cx, cy, r) {
  return `M${cx - r} ${cy}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}

function outline(item) {
  if (isRect(item)) return `M${item.x - 0.5} ${item.y - 0.5}h${item.w}v${item.h}h${-item.w}Z`;
  const { cx, cy, r, r_inner: inner } = item;
  return ring(cx, cy, r) + (inner ? ring(cx, cy, inner) : "");
}

/** Where a turned circle's top is: without it nobody sees that it is turned. */
function tick(item) {
  return isRect(item) ? "" : `M${item.cx} ${item.cy - item.r}V${item.cy - (item.r_inner || 0.6 * item.r)}`;
}

function rounded(item) {
  const numbers = Object.entries(item).filter(([, value]) => typeof value === "number");
  return { ...item, ...Object.fromEntries(numbers.map(([name, value]) => [name, round(value)])) };
}

export default {
  template: `
    <div ref="root" class="roi-editor" :class="'tool-' + (locked ? 'select' : tool)" tabindex="0" role="application"
      :aria-label="labels.editor" @keydown="onKey" @keyup="settle" @blur="settle" @wheel.prevent="onWheel"
      @pointerdown="onDown" @pointermove="onMove" @pointerup="onUp" @pointercancel="forget" @contextmenu.prevent>
      <svg width="100%" height="100%">
        <g :transform="'translate(' + view.x + ' ' + view.y + ') scale(' + view.scale + ')'">
          <image v-if="url" :href="url" x="-0.5" y="-0.5" :width="width" :height="height" preserveAspectRatio="none"
            :style="{ imageRendering: view.scale > 4 ? 'pixelated' : 'auto' }" />
          <g :transform="matrix ? 'matrix(' + matrix.join(' ') + ')' : null">
            <path v-for="item in others" class="theirs" :d="outline(item)" :transform="spin(item)" />
            <g v-for="item in shown" :key="item.key" :transform="spin(item)" :class="[item.type, item.kind,
              { chosen: item.key === chosen, bad: sticksOut(item) }]" :data-key="item.key">
              <path class="hit" :d="outline(item)" /><path class="under" :d="outline(item)" />
              <path class="line" :d="outline(item)" /><path class="line" :d="tick(item)" />
            </g>
          </g>
          <path v-if="sketch" class="line sketch" :d="outline(sketch)" />
        </g>
        <text v-for="item in shown" v-show="item.name" class="name" :class="item.type" :x="label(item)[0]"
          :y="label(item)[1]">{{ item.name }}</text>
        <g v-if="line"><path class="under" :d="ruler" /><path class="line sketch" :d="ruler" />
          <circle v-for="end in line" class="end" :cx="toScreen(end)[0]" :cy="toScreen(end)[1]" r="6" /></g>
        <path v-if="stem" class="stem" :d="stem" />
        <g v-for="handle in handles" :key="handle.name" :data-handle="handle.name" class="handle" :class="handle.what"
          :transform="'translate(' + handle.at.join(' ') + ')'"><circle class="touch" r="22" /><circle r="10" /></g>
      </svg>
      <div class="zoom" @pointerdown.stop @keydown.stop>
        <button type="button" data-testid="zoom-in" :aria-label="labels.zoom_in" @click="zoomBy(1.5)">+</button>
        <button type="button" data-testid="zoom-out" :aria-label="labels.zoom_out" @click="zoomBy(1 / 1.5)">−</button>
        <button type="button" data-testid="zoom-fit" :aria-label="labels.zoom_fit" @click="fit()">⤢</button>
      </div>
    </div>`,
  props: {
    picture: String, width: Number, height: Number, items: Array, others: Array, selected: String, tool: String,
    locked: Boolean, stamp: Number, echo: Number, matrix: Array, dirty: Boolean, labels: Object,
  },
  data() {
    return { view: { x: 0, y: 0, scale: 1 }, box: [1, 1], changed: {}, chosen: null, sketch: null, line: null, url: "" };
  },
  created() {
    this.pointers = new Map();
    this.drag = null; // what the pointer does now
    this.sent = 0;
    this.nudged = null; // key of what the arrows have moved since they were pressed
  },
  mounted() {
    this.chosen = this.selected || null;
    setTimeout(() => this.showPicture(), 0); // window.path_prefix is there after the page is
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.$refs.root);
    this.guard = (event) => this.dirty && event.preventDefault();
    window.addEventListener("beforeunload", this.guard);
  },
  unmounted() {
    this.observer.disconnect();
    window.removeEventListener("beforeunload", this.guard);
  },
  watch: {
    stamp() { // Python has answered: its items are the truth
      if (this.echo < this.sent) return; // an answer to an earlier message: a later one is under way
      this.chosen = this.selected || null;
      if (!this.drag && !this.nudged) [this.changed, this.sketch, this.line] = [{}, null, null];
    },
    picture() { this.showPicture(); },
    width() { this.fit(); },
    height() { this.fit(); },
  },
  computed: {
    shown() {
      return this.items.map((item) => this.changed[item.key] || item);
    },
    handles() {
      const item = this.shown.find((each) => each.key === this.chosen);
      if (!item || this.locked || this.matrix) return [];
      const least = REACH / this.view.scale;
      const [w, h] = half(item).map((value) => Math.max(value, least));
      const spots = [{ name: "move", what: "move", spot: [0, 0] }];
      if (isRect(item)) {
        for (const [sx, sy] of [[-1, -1], [1, -1], [1, 1], [-1, 1], [0, -1], [1, 0], [0, 1], [-1, 0]])
          if ((sx && sy) || (sx ? h : w) * this.view.scale > 70)
            spots.push({ name: `${sx},${sy}`, what: "size", spot: [sx * w, sy * h] });
      } else spots.push({ name: "r", what: "size", spot: [w, 0] });
      if (item.kind === "annulus") spots.push({ name: "r_inner", what: "inner", spot: [-this.innerReach(item), 0] });
      if (item.type === "roi")
        spots.push({ name: "turn", what: "turn", spot: [0, -h - STEM / this.view.scale] });
      return spots.map((each) => ({ ...each, at: this.toScreen(this.local(item, each.spot)) }));
    },
    stem() {
      const [move, turn] = ["move", "turn"].map((name) => this.handles.find((each) => each.name === name));
      return turn ? `M${move.at.join(" ")}L${turn.at.join(" ")}` : "";
    },
    ruler() {
      return `M${this.toScreen(this.line[0]).join(" ")}L${this.toScreen(this.line[1]).join(" ")}`;
    },
  },
  methods: {
    outline, tick,
    spin: (item) => `rotate(${item.angle} ${centre(item).join(" ")})`,
    showPicture() {
      this.url = this.picture ? (window.path_prefix || "") + this.picture : "";
    },
    sticksOut(item) {
      const [[x, y], [w, h]] = [centre(item), reach(item)];
      return x - w < -0.51 || y - h < -0.51 || x + w > this.width - 0.49 || y + h > this.height - 0.49;
    },
    innerReach(item) { // apart from the middle, and from the outer edge's own handle by lying opposite
      return Math.max(item.r_inner, REACH / this.view.scale);
    },
    local(item, spot) {
      const [[x, y], [dx, dy]] = [centre(item), turned(spot, item.angle)];
      return [x + dx, y + dy];
    },
    label(item) {
      const m = this.matrix || [1, 0, 0, 1, 0, 0];
      const [x, y] = this.local(item, [0, -half(item)[1]]);
      const [left, top] = this.toScreen([m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]]);
      return [left, Math.max(16, top - 8)];
    },
    toScreen([x, y]) {
      return [x * this.view.scale + this.view.x, y * this.view.scale + this.view.y];
    },
    toPicture(event) {
      const at = this.$refs.root.getBoundingClientRect();
      return [(event.clientX - at.left - this.view.x) / this.view.scale,
        (event.clientY - at.top - this.view.y) / this.view.scale];
    },
    resized() {
      const before = this.box;
      this.box = [this.$refs.root.clientWidth, this.$refs.root.clientHeight];
      if (before[0] < 2 || this.fitted) this.fit();
    },
    fit() {
      const [w, h] = this.box;
      const scale = Math.max(0.001, Math.min(w / this.width, h / this.height) * 0.98);
      this.view = { scale, x: (w - (this.width - 1) * scale) / 2, y: (h - (this.height - 1) * scale) / 2 };
      this.fitted = true;
    },
    zoomBy(factor, at = [this.box[0] / 2, this.box[1] / 2]) {
      const scale = clamp(this.view.scale * factor, 0.02, 40);
      const by = scale / this.view.scale;
      this.view = { scale, x: at[0] - (at[0] - this.view.x) * by, y: at[1] - (at[1] - this.view.y) * by };
      this.fitted = false;
    },
    onWheel(event) {
      const at = this.$refs.root.getBoundingClientRect();
      this.zoomBy(Math.exp(-clamp(event.deltaY, -300, 300) / 500), [event.clientX - at.left, event.clientY - at.top]);
    },
    onDown(event) {
      this.settle();
      this.$refs.root.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      if (this.pointers.size === 2) return this.pinch();
      if (this.pointers.size > 2) return;
      const from = { at: this.toPicture(event), screen: [event.clientX, event.clientY], view: this.view, moved: false };
      const target = event.target.closest("[data-handle], [data-key]");
      const fixed = this.locked || this.matrix;
      if (event.button === 1) this.drag = { ...from, does: "pan" };
      else if (!fixed && this.tool !== "select") this.drag = { ...from, does: "draw" };
      else if (target && !this.matrix) this.take(target, from);
      else this.drag = { ...from, does: "pan", empty: true };
    },
    take(target, from) {
      const { handle, key } = target.dataset;
      if (key) this.chosen = key;
      const item = this.shown.find((each) => each.key === this.chosen);
      const does = this.locked ? "look" : handle || "move";
      this.drag = { ...from, does, item, tapped: key, grip: this.gripOf(item, handle) };
    },
    gripOf(item, handle) { // a handle stands off a small shape: what is pulled is the edge, not the handle
      const [w, h] = half(item);
      if (handle === "r") return this.local(item, [w, 0]);
      if (handle === "r_inner") return this.local(item, [-item.r_inner, 0]);
      if (!handle || handle === "move" || handle === "turn") return null;
      const [sx, sy] = handle.split(",").map(Number);
      return this.local(item, [sx * w, sy * h]);
    },
    onMove(event) {
      if (!this.pointers.has(event.pointerId)) return;
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      const drag = this.drag;
      if (!drag) return;
      if (drag.does === "pinch") return this.pinched();
      const [sx, sy] = [event.clientX - drag.screen[0], event.clientY - drag.screen[1]];
      drag.moved = drag.moved || Math.hypot(sx, sy) >= SLACK;
      if (!drag.moved || drag.does === "look") return;
      if (drag.does === "pan") {
        this.view = { ...drag.view, x: drag.view.x + sx, y: drag.view.y + sy };
        this.fitted = false;
      } else if (drag.does === "draw") this.draw(drag.at, this.toPicture(event));
      else this.changed = { [drag.item.key]: this.shaped(drag, this.toPicture(event), event.shiftKey) };
    },
    draw(from, to) {
      if (this.tool === "measure") this.line = [from, to];
      else this.sketch = drawn(this.tool, from, to, this.width, this.height);
    },
    shaped({ does, item, at, grip }, now, stepwise) {
      const [dx, dy] = [now[0] - at[0], now[1] - at[1]];
      if (does === "move") return shifted(item, dx, dy, this.width, this.height);
      const [cx, cy] = centre(item);
      if (does === "turn") {
        const degrees = (Math.atan2(now[0] - cx, cy - now[1]) * 180) / Math.PI;
        return { ...item, angle: stepwise ? Math.round(degrees / 15) * 15 : degrees };
      }
      const edge = [grip[0] + dx, grip[1] + dy];
      const radius = Math.hypot(edge[0] - cx, edge[1] - cy);
      if (does === "r") return widened(item, radius, this.width, this.height);
      if (does === "r_inner") return { ...item, r_inner: clamp(radius, 0, item.r - 2) };
      const inside = [clamp(edge[0], -0.5, this.width - 0.5), clamp(edge[1], -0.5, this.height - 0.5)];
      return pulled(item, does.split(",").map(Number), inside);
    },
    onUp(event) {
      this.pointers.delete(event.pointerId);
      const drag = this.drag;
      if (!drag || (drag.does === "pinch" && this.pointers.size)) return;
      this.drag = null;
      if (drag.does === "draw") this.finish(drag);
      else if (drag.moved && this.changed[drag.item?.key]) this.commit(drag.item.key);
      else if (!drag.moved && (drag.tapped || drag.empty)) this.send("choose", { key: drag.tapped || null });
    },
    finish(drag) {
      if (this.tool === "measure") {
        if (this.line) this.send("measure", { from: this.line[0].map(round), to: this.line[1].map(round) });
      } else {
        const item = this.sketch || drawn(this.tool, drag.at, drag.at, this.width, this.height);
        this.send("draw", { as: this.tool, item: rounded(item) });
      }
    },
    commit(key) {
      this.changed = { [key]: rounded(this.changed[key]) };
      this.send("reshape", { key, item: this.changed[key] });
    },
    send(what, message) {
      this.sent += 1;
      this.$emit(what, { ...message, number: this.sent });
    },
    forget(event) {
      if (event) this.pointers.delete(event.pointerId);
      [this.drag, this.changed, this.sketch, this.line] = [null, {}, null, null];
    },
    pinch() {
      this.forget();
      const [a, b] = [...this.pointers.values()];
      this.drag = { does: "pinch", a, b, view: this.view };
    },
    pinched() {
      if (this.pointers.size < 2) return;
      const [a, b] = [...this.pointers.values()];
      const { a: a0, b: b0, view } = this.drag;
      const at = this.$refs.root.getBoundingClientRect();
      const mid = (p, q) => [(p[0] + q[0]) / 2 - at.left, (p[1] + q[1]) / 2 - at.top];
      const [before, now] = [mid(a0, b0), mid(a, b)];
      const apart = (p, q) => Math.max(1, Math.hypot(p[0] - q[0], p[1] - q[1]));
      const scale = clamp((view.scale * apart(a, b)) / apart(a0, b0), 0.02, 40);
      const by = scale / view.scale;
      this.view = { scale, x: now[0] - (before[0] - view.x) * by, y: now[1] - (before[1] - view.y) * by };
      this.fitted = false;
    },
    onKey(event) {
      const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      if (event.ctrlKey || event.metaKey) {
        const command = event.shiftKey && name === "z" ? "redo" : WITH_CTRL[name];
        if (command) this.command(event, command);
      } else if (ARROWS[name]) this.nudge(event, ARROWS[name], event.shiftKey ? 10 : 1);
      else if (name === "Delete" || name === "Backspace") this.command(event, "delete");
      else if (name === "Escape") this.drag ? this.forget() : this.command(event, "escape");
      else if (name === "+" || name === "-") this.zoomBy(name === "+" ? 1.25 : 0.8);
      else if (name === "0") this.fit();
    },
    command(event, name) {
      event.preventDefault();
      this.settle();
      this.send("command", { name });
    },
    nudge(event, [dx, dy], step) {
      event.preventDefault();
      const item = this.shown.find((each) => each.key === this.chosen);
      if (!item || this.locked || this.matrix || this.drag) return;
      this.changed = { [item.key]: shifted(item, dx * step, dy * step, this.width, this.height) };
      this.nudged = item.key;
    },
    settle() { // a key held down moves it many times, and is told once
      if (this.nudged && this.changed[this.nudged]) this.commit(this.nudged);
      this.nudged = null;
    },
  },
};
