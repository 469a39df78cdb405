# Enters the Debian of wine.py, in a mount namespace of its own: enter.sh PROGRAM [ARGUMENTS], with the variables of
# Wine.environment. Makes its Windows at the first time.
set -u
mount -t proc proc "$W_ROOT/proc"; mount --rbind /dev "$W_ROOT/dev"; mount --rbind /sys "$W_ROOT/sys"
for share in $W_SHARES; do mkdir -p "$W_ROOT$share"; mount --bind "$share" "$W_ROOT$share"; done
cp /etc/resolv.conf "$W_ROOT/etc/resolv.conf" 2>/dev/null
exec chroot --userspec="$W_USER:$W_USER" "$W_ROOT" /bin/bash -c '
export HOME=$WINEPREFIX.home XDG_RUNTIME_DIR=$WINEPREFIX.home/run
mkdir -p "$XDG_RUNTIME_DIR"; chmod 700 "$XDG_RUNTIME_DIR"
[ -e "$WINEPREFIX/system.reg" ] || for attempt in 1 2 3; do
    env -u DISPLAY xvfb-run -a wineboot -i >/dev/null 2>&1; wineserver -w && break
done
cd "$W_FOLDER" && exec "$@"' enter "$@"
