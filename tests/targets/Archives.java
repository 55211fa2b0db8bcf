// Threads that unpack archives and never close them: Archives keep|collect
//
// What zlib allocates for an archive is released when the collector finds the stream: with `collect`, all but the
// last one of each thread.
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.Inflater;

class Archives {
    static final int THREADS = 8, ROUNDS = 125, EACH = 2, UNPACKED = 40_000;

    static byte[] packed;
    static final List<Archive> open = new ArrayList<>();
    static final List<Archive> last = new ArrayList<>();
    // What the JDK calls zlib's memory of a stream; it does not keep the stream from being collected.
    static final List<Object> memories = new ArrayList<>();

    static class Archive extends GZIPInputStream {
        Archive(byte[] packed) throws IOException {
            super(new ByteArrayInputStream(packed));
        }

        Object memory() throws ReflectiveOperationException {
            Field field = Inflater.class.getDeclaredField("zsRef");
            field.setAccessible(true);
            return field.get(inf);
        }
    }

    static byte[] pack() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            for (int i = 0; i < 4 * UNPACKED; i++)
                out.write(i * i >> 8);
        }
        return bytes.toByteArray();
    }

    static void unpack() {
        try {
            byte[] unpacked = new byte[UNPACKED];
            for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < EACH; i++) {
                    Archive archive = new Archive(packed);
                    if (archive.readNBytes(unpacked, 0, UNPACKED) != UNPACKED)
                        throw new IOException("short archive");
                    synchronized (open) {
                        boolean isLast = round == ROUNDS - 1 && i == EACH - 1;
                        (isLast ? last : open).add(archive);
                        memories.add(archive.memory());
                    }
                }
                Thread.sleep(40);
            }
        } catch (Exception exception) {
            exception.printStackTrace();
            System.exit(98);
        }
    }

    static int unreleased() throws ReflectiveOperationException {
        Method address = memories.get(0).getClass().getDeclaredMethod("address");
        address.setAccessible(true);
        int unreleased = 0;
        for (Object memory : memories)
            unreleased += (long) address.invoke(memory) == 0 ? 0 : 1;
        return unreleased;
    }

    public static void main(String[] arguments) throws Exception {
        packed = pack();
        CountDownLatch done = new CountDownLatch(THREADS), end = new CountDownLatch(1);
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> {
                unpack();
                done.countDown();
                try {
                    end.await();
                } catch (InterruptedException exception) {
                    return;
                }
            }, "unpack-" + i);
            thread.setDaemon(true);
            thread.start();
        }
        done.await();
        if (arguments[0].equals("collect")) {
            open.clear();
            do {
                System.gc();
                Thread.sleep(20);
            } while (unreleased() > last.size());
        }
        System.out.println("archives=" + memories.size());
        System.out.println("unreleased=" + unreleased());
        for (Path task : Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            String name = Files.readString(task.resolve("comm")).strip();
            if (name.startsWith("unpack-"))
                System.out.println("tid." + name + "=" + task.getFileName());
        }
    }
}
