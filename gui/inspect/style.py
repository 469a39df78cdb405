"""The style sheet of the Inspect screen: the verdict fills a third of it, and nothing has to be scrolled to."""

CSS = """
.line-screen { display: grid; grid-template-columns: minmax(0, 1fr) clamp(400px, 34vw, 900px); gap: 12px;
  height: calc(100vh - 166px); min-height: 480px; margin: -12px; width: calc(100% + 24px); }
.line-side, .line-main { display: flex; flex-direction: column; gap: 12px; min-width: 0; min-height: 0; }
.verdict { display: flex; align-items: center; justify-content: center; gap: 4%; border-radius: 12px; width: 100%;
  flex: none; height: clamp(180px, 29vh, 620px); font-weight: 800; line-height: 1; border: 2px solid var(--line);
  background: var(--card); container-type: inline-size; }
.verdict svg { width: min(30cqw, 26vh); height: auto; flex: none; }
.verdict span { font-size: min(36cqw, 30vh); letter-spacing: -.02em; }
.verdict.v-ERROR span { font-size: min(18cqw, 24vh); }
.verdict.v-waiting span, .verdict.v-busy span { font-size: min(11cqw, 12vh); letter-spacing: 0; }
.v-OK { background: var(--ok); color: #fff; } .v-NG { background: var(--ng); color: #fff; }
.v-ERROR { background: #ffc533; color: #1d1300; }
.verdict.v-busy svg { animation: turning 1.2s linear infinite; }
@keyframes turning { to { transform: rotate(360deg); } }
.line-picture { flex: 1; min-height: 0; background: #0d141b; border-radius: 8px; overflow: hidden; position: relative; }
.line-picture svg { width: 100%; height: 100%; display: block; }
.line-picture .heat { opacity: var(--heat, .6); }
.line-picture.old svg { opacity: .3; }
.line-hint { position: absolute; inset: 0; display: flex; flex-direction: column; align-items: center; gap: 16px;
  justify-content: center; color: #dbe5ee; font-size: 20px; text-align: center; padding: 24px; pointer-events: none; }
.line-hint > * { pointer-events: auto; }
.line-why { flex: 1; min-height: 0; overflow-y: auto; }
.why { padding: 8px 0; border-bottom: 1px solid var(--line); } .why-head { display: flex; gap: 10px; font-size: 17px; }
.tag { border-radius: 4px; padding: 0 8px; } .why table { width: 100%; font-variant-numeric: tabular-nums; }
.why th { text-align: left; font-weight: 500; color: var(--muted); } .why td, .why th { padding: 2px 8px 2px 0; }
.meter { position: relative; height: 10px; border-radius: 5px; background: var(--line); margin: 6px 0; }
.meter i { display: block; height: 100%; border-radius: 5px; max-width: 100%; }
.meter s { position: absolute; left: 50%; top: -3px; bottom: -3px; width: 3px; background: var(--text); }
.what-to-do { font-size: 20px; font-weight: 600; margin: 0 0 8px; }
.line-strip { display: flex; gap: 8px; overflow: hidden; height: 104px; flex: none; width: 100%; }
.past { display: flex; flex-direction: column; flex: none; width: 92px; border-radius: 6px; overflow: hidden;
  border: 1px solid var(--line); background: var(--card); color: var(--text); text-decoration: none; font-size: 14px; }
.past img, .no-thumbnail { height: 54px; width: 100%; object-fit: cover; text-align: center; display: block; }
.past b { text-align: center; } .past span { padding: 0 4px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; text-align: center; }
.line-counters { display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; text-align: center; }
.line-counters b { font-size: 26px; line-height: 1.1; display: block; font-variant-numeric: tabular-nums; }
"""
