//! How many descriptors there may be, and how that is changed.

use crate::report::model::{Descriptors, Limits, Process, SystemOpenFiles};

/// Above this part of the limit, in percent, the peak is a finding.
const HIGH_PERCENT: u64 = 70;

/// For the first line of the section.
pub(super) fn brief(process: &Process, descriptors: &Descriptors) -> String {
    let limit = process.limits.as_ref().and_then(|limits| limits.open_files.as_ref());
    match limit.and_then(|limit| limit.soft) {
        Some(soft) if descriptors.peak_in_use > 0 => {
            format!("; at most {} in use, limit {soft}", descriptors.peak_in_use)
        }
        Some(soft) => format!("; limit {soft}"),
        None => String::new(),
    }
}

/// Whether there is reason to tell of limits.
fn is_tight(descriptors: &Descriptors, soft: Option<u64>) -> bool {
    let is_high = soft.is_some_and(|soft| descriptors.peak_in_use * 100 > soft * HIGH_PERCENT);
    is_high || descriptors.refused_opens > 0 || !descriptors.growing.is_empty()
}

/// The limits, and the commands that raise them; nothing if they are far away.
pub(super) fn limits_part(process: &Process, descriptors: &Descriptors) -> String {
    let Some(limits) = &process.limits else {
        return String::new();
    };
    let (soft, hard) = limits.open_files.as_ref().map_or((None, None), |limit| (limit.soft, limit.hard));
    if !is_tight(descriptors, soft) {
        return String::new();
    }
    let told = |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |limit| limit.to_string());
    let mut text = format!("    limits: {} soft, {} hard", told(soft), told(hard));
    if let Some(ceiling) = limits.open_files_ceiling {
        text += &format!("; fs.nr_open {ceiling} for any process");
    }
    if let Some(SystemOpenFiles { allocated, maximum }) = limits.system_open_files {
        text += &format!("; fs.file-nr {allocated} of {maximum} in the whole system");
    }
    text.push('\n');
    let enough = enough(descriptors.peak_in_use.max(soft.unwrap_or(0)));
    text += "    to raise the limit until that is repaired:\n";
    for (whose, command) in commands(process.pid, enough, hard, limits) {
        text += &format!("      {whose:15}  {command}\n");
    }
    text
}

/// A limit that lasts twice as long.
fn enough(count: u64) -> u64 {
    count.saturating_mul(2).checked_next_power_of_two().unwrap_or(u64::MAX)
}

fn commands(pid: u32, enough: u64, hard: Option<u64>, limits: &Limits) -> Vec<(&'static str, String)> {
    let within = hard.is_none_or(|hard| enough <= hard);
    let hard = hard.filter(|_| within).map_or_else(|| enough.to_string(), |hard| hard.to_string());
    let as_root = if within { "" } else { "  (as root)" };
    let mut commands = vec![
        ("this shell", format!("ulimit -n {enough}{as_root}")),
        ("while it runs", format!("prlimit --pid {pid} --nofile={enough}:{hard}{as_root}")),
        ("a service", format!("systemctl edit NAME.service   [Service] LimitNOFILE={enough}")),
        ("a user's logins", format!("/etc/security/limits.conf   USER - nofile {enough}")),
    ];
    if limits.open_files_ceiling.is_some_and(|ceiling| enough > ceiling) {
        commands.insert(0, ("any process", format!("sysctl -w fs.nr_open={enough}")));
    }
    if let Some(SystemOpenFiles { allocated, maximum }) = limits.system_open_files
        && u128::from(allocated) * 100 > u128::from(maximum) * u128::from(HIGH_PERCENT)
    {
        commands.push(("the system", format!("sysctl -w fs.file-max={}", self::enough(allocated))));
    }
    commands
}
