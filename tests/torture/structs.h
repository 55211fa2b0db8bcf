// One struct for each way that the calling convention has to give one back.
struct two_words {
    long a, b;
};
struct two_floats {
    float x, y;
};
struct two_doubles {
    double x, y;
};
struct mixed {
    long a;
    double x;
};
struct mirrored {
    double x;
    int a;
};
struct extended {
    long double x;
};
struct small {
    char a;
    short b;
};
struct large {
    long words[32];
    char text[24];
};
struct two_words make_words(long a, long b);
struct two_floats make_floats(float x, float y);
struct two_doubles make_doubles(double x, double y);
struct mixed make_mixed(long a, double x);
struct mirrored make_mirrored(double x, int a);
struct extended make_extended(long double x);
struct small make_small(char a, short b);
struct large make_large(long first, const char *text);
