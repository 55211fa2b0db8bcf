# Encodes, filters and decodes generated pictures and sound with several threads: every frame's checksum.
#
# torture: needs ffmpeg
# torture: version ffmpeg -version
run() { ffmpeg -nostdin -hide_banner -loglevel error "$@"; echo "status $?"; }
run -f lavfi -i testsrc2=size=320x240:rate=25:duration=2 -f lavfi -i sine=frequency=440:duration=2 \
    -c:v mpeg4 -threads 2 -q:v 4 -c:a aac -fflags +bitexact -flags +bitexact video.mkv
sha256sum <video.mkv
run -threads 3 -i video.mkv -vf 'scale=160:120,hflip,boxblur=2' -f framemd5 -bitexact frames
sha256sum <frames
run -i video.mkv -vn -c:a flac -fflags +bitexact -flags +bitexact sound.flac
sha256sum <sound.flac
run -i nowhere.mkv out.mkv 2>&1
