# Python's own tests of threads, signals, processes, files, memory, sockets and foreign functions: what passes, what not.
#
# torture: needs python3
# torture: check python3 -c 'import test.test_json' -- python3's test suite is not installed
# torture: version python3 --version
python3 -m test -q --timeout 100 --junit-xml results.xml \
    -m '*test_json*' -m '*test_struct*' -m '*test_mmap*' -m 'ctypes.*' -m '*test_os.*' \
    -m '*.PosixTests.*' -m '*.WakeupFDTests.*' -m '*.PendingSignalsTests.test_sig*' \
    -m '*.ThreadTests.*' -m '*.POSIXProcessTestCase.*' \
    -m '*.BasicTCPTest.*' -m '*.BasicUDPTest.*' -m '*.SendrecvmsgSCMRightsStreamTest.*' \
    test_json test_struct test_mmap test_ctypes test_os test_signal test_threading test_subprocess test_socket >output 2>&1
echo "status $?"
python3 - <<'PROGRAM'
import xml.etree.ElementTree as tree
for line in sorted({f"{case.get('name')} {case.get('status')} {case.get('result')} {' '.join(part.tag for part in case)}"
                    for case in tree.parse("results.xml").iter("testcase")}):
    print(line)
PROGRAM
