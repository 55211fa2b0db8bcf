# Compiles a few hundred lines of C and C++ at several levels, also through pipes and with link-time optimisation.
#
# torture: needs gcc g++ make
# torture: version gcc --version
{
    echo '#include <stdio.h>'
    echo '#include <string.h>'
    for i in $(seq 25); do
        printf 'static int f%d(const int *a, int n) { int s = %d; for (int i = 0; i < n; i++) s = s * 31 + (a[i] ^ s >> %d); return s; }\n' "$i" "$i" "$((i % 7 + 1))"
        printf 'double g%d(double x) { return x > %d ? x * x - %d : g_(x, %d) / %d.5; }\n' "$i" "$i" "$i" "$i" "$i" | sed 's/g_(\(x, [0-9]*\))/(double)(int)(x + strlen("text"))/'
    done
    echo 'int main(void) { int a[100]; for (int i = 0; i < 100; i++) a[i] = i * i; int s = 0;'
    for i in $(seq 25); do echo "s += f$i(a, 100) + (int)g$i(s % 100);"; done
    echo 'printf("%d\n", s); return 0; }'
} >program.c
cat >templates.cpp <<'PROGRAM'
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>
template <int N> struct Tower { static int up(std::vector<int> &v) { v.push_back(N); return Tower<N - 1>::up(v) + N; } };
template <> struct Tower<0> { static int up(std::vector<int> &) { return 0; } };
int main() {
    std::vector<int> v;
    std::map<std::string, int> m;
    int sum = Tower<40>::up(v);
    std::sort(v.begin(), v.end(), [](int a, int b) { return a % 10 < b % 10 || (a % 10 == b % 10 && a < b); });
    for (int i : v) m[std::to_string(i % 13)] += i;
    for (auto &[key, value] : m) std::cout << key << ' ' << value << '\n';
    std::cout << sum << '\n';
}
PROGRAM
for level in -O0 -O2 '-O3 -g -pipe'; do
    gcc $level -c program.c -o program.o && sha256sum <program.o
done
gcc -O2 -flto program.c -o program && ./program
g++ -std=c++17 -O2 -c templates.cpp -o templates.o && sha256sum <templates.o
g++ templates.o -o templates && ./templates | sha256sum
printf 'all: a b c\na b c:\n\tgcc -O1 -c program.c -o $@.o\n' >Makefile
make -s -j3 && cmp a.o c.o && echo 'made'
echo 'int f(' | gcc -x c -c - -o nothing.o 2>&1
echo "status $?"
