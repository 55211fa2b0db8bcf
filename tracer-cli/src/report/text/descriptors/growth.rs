//! What is opened faster than it is closed.

use super::super::place::called;
use super::super::{Page, stack};
use crate::report::model::{Descriptors, Forecast, Growing};
use crate::report::units::{long_time, plural, rate};

pub(super) fn growth_part(descriptors: &Descriptors, page: &Page<'_>) -> String {
    let mut text = String::new();
    let (shown, beyond) = descriptors.growing.split_at(descriptors.growing.len().min(page.view.top));
    for growing in shown {
        text += &format!("    {}\n", line(growing));
        text += &stack::lines(&growing.stack, 8, page);
    }
    if !beyond.is_empty() {
        text += &format!("    ... and {} (see --top)\n", plural(beyond.len() as u64, "more growing stack"));
    }
    if let Some(forecast) = &descriptors.forecast {
        text += &format!("    {}\n", forecast_line(forecast));
    }
    text
}

fn line(growing: &Growing) -> String {
    format!(
        "grows by {}, confidence {}: {} of {} still open by {}",
        rate(growing.per_minute),
        confidence(growing.confidence),
        growing.still_open,
        growing.opened,
        called(&growing.function),
    )
}

/// Cut off, not rounded: nothing is quite certain.
fn confidence(confidence: f64) -> String {
    format!("{:.3}", (confidence * 1000.0).floor() / 1000.0).replace("1.000", "0.999")
}

fn forecast_line(forecast: &Forecast) -> String {
    format!(
        "EMFILE in {} at this rate: {} in use, growing by {}, limit {}",
        long_time(forecast.exhausted_in_ns),
        forecast.in_use,
        rate(forecast.per_minute),
        forecast.limit,
    )
}
