# Java: the compiler, then threads, collections that are collected, stack overflows, null accesses, timers, children.
#
# torture: needs javac java
# torture: version javac --version
cat >Job.java <<'PROGRAM'
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
public class Job {
    static int depth;
    static void deeper() { depth++; deeper(); }
    public static void main(String[] arguments) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Future<Long>> sums = new ArrayList<>();
        for (int task = 0; task < 16; task++) {
            int seed = task;
            sums.add(pool.submit(() -> {
                Map<String, byte[]> kept = new HashMap<>();
                long sum = 0;
                for (int i = 0; i < 20000; i++) {
                    byte[] block = new byte[500 + (i * seed) % 3000];
                    kept.put("key" + i % 200, block);
                    sum += kept.get("key" + (i * 7) % 200) == null ? 1 : block.length;
                }
                return sum;
            }));
        }
        for (Future<Long> sum : sums) System.out.print(sum.get() + " ");
        System.out.println();
        pool.shutdown();
        System.out.println(IntStream.range(0, 1000000).parallel().mapToLong(i -> (long) i * i % 1009).sum());
        // Faults that the machine itself turns into exceptions: SIGSEGV in its handler.
        int caught = 0;
        for (int i = 0; i < 20000; i++)
            try { Object none = i % 2 == 0 ? null : "x"; none.hashCode(); } catch (NullPointerException e) { caught++; }
        System.out.println("nulls " + caught);
        for (int i = 0; i < 5; i++)
            try { deeper(); } catch (StackOverflowError e) { caught++; }
        System.out.println("overflows " + (caught - 10000) + " " + (depth > 5000));
        System.gc();
        Process child = new ProcessBuilder("sh", "-c", "cat; exit 3").redirectErrorStream(true).start();
        child.getOutputStream().write("through a child\n".getBytes());
        child.getOutputStream().close();
        System.out.print(new String(child.getInputStream().readAllBytes()));
        System.out.println("child " + child.waitFor());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("shutdown hook")));
        System.exit(11);
    }
}
PROGRAM
export JAVA_TOOL_OPTIONS=-XX:-UsePerfData
javac -d . Job.java 2>&1 | grep -v '^Picked up'
sha256sum Job.class
for collector in -XX:+UseSerialGC -XX:+UseG1GC; do
    java $collector -Xmx64m Job 2>&1 | grep -v '^Picked up'
    echo "status ${PIPESTATUS[0]}"
done
