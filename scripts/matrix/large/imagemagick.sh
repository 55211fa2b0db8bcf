# Draws, blurs, turns and converts pictures with several threads: every pixel the same.
#
# torture: needs convert identify
# torture: version convert --version
export MAGICK_THREAD_LIMIT=3
convert -size 300x200 plasma:red-blue -seed 5 -blur 0x2 plain.ppm
echo "status $?"
convert -size 400x300 gradient:red-yellow -swirl 90 -resize 50% -gaussian-blur 0x3 -fill navy -draw 'circle 60,60 60,90' drawn.ppm
sha256sum <drawn.ppm
convert drawn.ppm -quality 90 -strip drawn.jpg && convert drawn.jpg drawn2.ppm && sha256sum <drawn2.ppm
convert drawn.ppm -rotate 33 -colors 32 -define png:exclude-chunks=date,time drawn.png && convert drawn.png rgba:- | sha256sum
identify -format '%w %h %[fx:mean.r]\n' drawn.png
convert nowhere.png out.png 2>&1 | sed 's/@.*//'
