# Programs with windows, of GTK and of the X toolkit, on a virtual screen: they draw, are driven and end by themselves.
#
# torture: needs Xvfb zenity xterm xwd xdpyinfo
# torture: version xvfb-run -a zenity --version
export HOME=$PWD XDG_RUNTIME_DIR=$PWD NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory LIBGL_ALWAYS_SOFTWARE=1
unset DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY
mkfifo display
Xvfb -displayfd 3 -screen 0 800x600x24 -nolisten tcp -noreset 3>display >server.log 2>&1 &
server=$!
read -r number <display
export DISPLAY=:$number
xdpyinfo | grep -E 'dimensions'
quietly() { "$@" 2>>gtk.log; echo "status $?"; }
seq 0 10 100 | quietly zenity --progress --auto-close --text 'counting'
quietly zenity --info --text 'ends by itself' --timeout 1
printf '1\none\n2\ntwo\n' | quietly zenity --list --column a --column b --timeout 1
quietly xterm -e sh -c 'tput cols >columns; stty size >size; exit 5'
cat columns size
xwd -root -silent -out screen && wc -c <screen
kill -TERM "$server"
wait "$server"
echo "server $?"
grep -E "CRITICAL|ERROR" gtk.log | sed "s/^[^*]*//"
