//! One picture, drawn by plotters.

use anyhow::anyhow;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::IntoDrawingArea;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::prelude::SVGBackend;
use plotters::style::{Color, IntoFont, TRANSPARENT};

use super::axis::Axis;
use super::paint::Paint;
use super::{Chart, Named, inline};

/// Width and height in the picture's own units, of which a page shows two as one of its pixels or so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    Large,
    /// As wide as two large ones beside each other.
    Wide,
    Small,
    /// As high as so many rows.
    Rows(usize),
}

impl Size {
    fn units(self) -> (u32, u32) {
        match self {
            Self::Large => (1200, 680),
            Self::Wide => (2440, 680),
            Self::Small => (800, 500),
            Self::Rows(rows) => (1200, 130 + 64 * rows as u32),
        }
    }
}

/// What is drawn of a series, in values of the axes.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Line(Vec<(f64, f64)>),
    /// What is below a line.
    Shade(Vec<(f64, f64)>),
    Dots(Vec<(f64, f64)>),
    /// From, to: a thick line.
    Bar((f64, f64), (f64, f64)),
}

/// Everything about a picture but how it is painted.
pub(super) struct Plot {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) size: Size,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<(Named, Vec<Shape>)>,
}

type Context<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

const FONT: u32 = 28;

impl Plot {
    /// # Errors
    /// If the library cannot draw it.
    pub(super) fn draw(self) -> anyhow::Result<Chart> {
        let mut svg = String::new();
        let area =
            self.paint(&mut svg).map_err(|why| anyhow!("the chart {} cannot be drawn: {why}", self.id))?;
        let series: Vec<Named> = self.series.into_iter().map(|(named, _)| named).collect();
        let svg = inline::inline(&svg, &self.title, &series)?;
        let labelled = matches!(self.size, Size::Rows(_));
        Ok(Chart { id: self.id, title: self.title, series, labelled, area, svg })
    }

    /// Where the figures are: left, top, right, bottom.
    fn paint(&self, svg: &mut String) -> Result<[i32; 4], Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(svg, self.size.units()).into_drawing_area();
        let title = if self.y.title.is_empty() { 0 } else { FONT as usize + 14 };
        let area;
        {
            let mut context = ChartBuilder::on(&root)
                .margin(12)
                .margin_right(40)
                .x_label_area_size(86)
                // About half of its size is what a letter needs.
                .y_label_area_size((self.y.letters() * FONT as usize / 2 + title + 26) as u32)
                .build_cartesian_2d(self.x.clone(), self.y.clone())?;
            let text = ("sans-serif", FONT).into_font().color(&Paint::Ink.colour());
            context
                .configure_mesh()
                .axis_style(Paint::Ink.colour().stroke_width(2))
                .bold_line_style(Paint::Grid.colour().stroke_width(1))
                .light_line_style(TRANSPARENT)
                .label_style(text.clone())
                .axis_desc_style(text)
                .x_desc(self.x.title.as_str())
                .y_desc(self.y.title.as_str())
                .draw()?;
            let (across, down) = context.plotting_area().get_pixel_range();
            area = [across.start, down.start, across.end, down.end];
            for (number, (_, shapes)) in self.series.iter().enumerate() {
                for shape in shapes {
                    paint(&mut context, number as u16, shape)?;
                }
            }
        }
        root.present()?;
        Ok(area)
    }
}

fn paint(
    context: &mut Context<'_, '_>,
    series: u16,
    shape: &Shape,
) -> Result<(), Box<dyn std::error::Error>> {
    let line = Paint::Line(series).colour();
    match shape {
        Shape::Line(points) => {
            context.draw_series([PathElement::new(points.clone(), line.stroke_width(4))])?;
        }
        Shape::Bar(from, to) => {
            context.draw_series([PathElement::new(vec![*from, *to], line.stroke_width(8))])?;
        }
        Shape::Shade(points) => {
            let shade = Paint::Shade(series).colour().filled();
            context.draw_series([Polygon::new(points.clone(), shade)])?;
        }
        Shape::Dots(points) => {
            let fill = Paint::Fill(series).colour().filled();
            context.draw_series(points.iter().map(|point| Circle::new(*point, 6, fill)))?;
        }
    }
    Ok(())
}
