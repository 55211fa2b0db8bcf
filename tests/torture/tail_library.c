// The other end of the chain: calls back into the program.
long back(long left, long sum);

long bounce(long left, long sum) { return left ? back(left - 1, sum + left) : sum; }
