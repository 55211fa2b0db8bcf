//! Charts of a page. plotters draws them; what is drawn and in which colours is decided here.

use super::answers::is_shown;
use crate::compare::result::{Compared, Variant};

mod axis;
mod bins;
mod inline;
mod latency;
mod memory;
mod paint;
mod plot;
mod rounds;

pub(super) use paint::{Style, rules};

/// One chart, ready to stand in a page.
#[derive(Debug)]
pub(super) struct Chart {
    /// Unlike any other in the page.
    pub(super) id: String,
    pub(super) title: String,
    /// What is drawn in it, in this order.
    pub(super) series: Vec<Named>,
    /// Whether the picture itself says which series is which.
    pub(super) labelled: bool,
    /// Where its points are, in the picture's own units: left, top, right, bottom.
    pub(super) area: [i32; 4],
    /// The picture, an `svg` element.
    pub(super) svg: String,
}

/// What a line of a legend says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) style: Style,
}

/// Charts of one kind.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: String,
    /// How to read them; None if that has been said.
    pub(super) about: Option<&'static str>,
    pub(super) charts: Vec<Chart>,
    pub(super) parts: Vec<Part>,
}

/// Smaller charts that tell the same of parts.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) title: String,
    pub(super) charts: Vec<Chart>,
    /// Whether they are shown before someone asks for them.
    pub(super) open: bool,
}

/// All charts that there are figures for.
///
/// # Errors
/// If the library cannot draw.
pub(super) fn groups(compared: &Compared) -> anyhow::Result<Vec<Group>> {
    let mut groups = vec![rounds::group(compared)?];
    groups.extend(latency::groups(compared)?);
    groups.push(memory::group(compared)?);
    groups.retain(|group| !group.charts.is_empty());
    Ok(groups)
}

/// Variants that can be in a chart, with their place among all, which gives them their colour.
fn drawn(compared: &Compared) -> impl Iterator<Item = (Named, &Variant)> {
    let variants = compared.variants.iter().enumerate();
    let drawn =
        variants.filter(|(_, variant)| is_shown(variant) || (variant.again && variant.failure.is_none()));
    drawn.map(|(place, variant)| {
        let style = if variant.again { Style::Noise } else { Style::Variant { place, dashed: false } };
        (Named { name: variant.label.clone(), style }, variant)
    })
}
