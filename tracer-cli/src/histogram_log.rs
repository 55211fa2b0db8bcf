//! `--histogram-log FILE`: the histogram log format (version 1.3, V2 payloads) that HdrHistogram's
//! own tools read, one line per function, tagged with its name.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

/// The log's column of maxima is in milliseconds by convention; the histograms are in nanoseconds.
const NS_PER_MS: f64 = 1e6;

/// When the session began and how long it took: the one interval that is logged.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// Its beginning.
    pub start: SystemTime,
    /// Its length.
    pub length: Duration,
}

/// Writes one line per function and histogram of nanoseconds. The same function may come more
/// than once (from several processes); the tools add such lines up.
///
/// # Errors
/// If `out` cannot be written, or a histogram does not fit the format (which ends at 2^63 ns).
pub fn write<'a>(
    out: &mut impl Write,
    interval: Interval,
    latencies: impl IntoIterator<Item = (&'a str, &'a Histogram<u64>)>,
) -> io::Result<()> {
    let mut serializer = V2DeflateSerializer::new();
    let mut builder = IntervalLogWriterBuilder::new();
    let mut log = builder
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("[Logged by calltap; values in nanoseconds, one tag per function]")
        .with_start_time(interval.start)
        .with_base_time(interval.start)
        .with_max_value_divisor(NS_PER_MS)
        .begin_log_with(out, &mut serializer)?;
    for (function, histogram) in latencies {
        log.write_histogram(histogram, Duration::ZERO, interval.length, Tag::new(function))
            .map_err(|cause| io::Error::other(format!("histogram of {function}: {cause:?}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;

    fn histogram(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).unwrap();
        values.into_iter().for_each(|value| histogram.record(value).unwrap());
        histogram
    }

    #[test]
    fn what_is_written_is_read_back_by_the_formats_own_reader() {
        let malloc = histogram((1..=10_000).map(|n| n * 17));
        let fsync = histogram([9_000_000_000]);
        let interval = Interval {
            start: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_500),
            length: Duration::from_millis(2_250),
        };
        let mut log = Vec::new();
        write(&mut log, interval, [("malloc", &malloc), ("fsync", &fsync)]).unwrap();

        let mut read = Vec::new();
        for entry in IntervalLogIterator::new(&log) {
            match entry.unwrap() {
                LogEntry::StartTime(at) => assert_eq!(at, Duration::from_millis(1_700_000_000_500)),
                LogEntry::BaseTime(at) => assert_eq!(at, Duration::from_millis(1_700_000_000_500)),
                LogEntry::Interval(line) => {
                    assert_eq!(line.duration(), interval.length);
                    let payload = STANDARD.decode(line.encoded_histogram()).unwrap();
                    let back: Histogram<u64> =
                        Deserializer::new().deserialize(&mut payload.as_slice()).unwrap();
                    read.push((line.tag().unwrap().as_str().to_owned(), line.max(), back));
                }
            }
        }
        let [first, second] = read.try_into().unwrap();
        assert_eq!((first.0.as_str(), &first.2), ("malloc", &malloc));
        assert_eq!((second.0.as_str(), &second.2), ("fsync", &fsync));
        assert!((second.1 - 9_000.0).abs() < 9.0, "in milliseconds: {}", second.1);
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut full = [0_u8; 10];
        let interval = Interval { start: SystemTime::now(), length: Duration::ZERO };
        assert!(write(&mut full.as_mut_slice(), interval, []).is_err());
    }
}
