// Says of each chart what a browser has drawn of it: data-drawn, how many of its series have an extent within the
// axes; data-outside, how many shapes leave them.
"use strict";
for (const chart of document.querySelectorAll("figure.chart")) {
  const closed = [];
  for (let part = chart.closest("details"); part; part = part.parentElement.closest("details")) {
    if (!part.open) closed.push(part);
  }
  // What is not shown has no extent.
  closed.forEach(part => (part.open = true));
  const [left, top, right, bottom] = chart.dataset.area.split(" ").map(Number);
  const drawn = new Set();
  let outside = 0;
  for (const shape of chart.querySelectorAll(".series")) {
    const box = shape.getBBox();
    // Circles at an end reach over it by their radius.
    const within = box.x >= left - 8 && box.y >= top - 8 && box.x + box.width <= right + 8 && box.y + box.height <= bottom + 8;
    if (!within) outside += 1;
    else if (box.width > 0 || box.height > 0) drawn.add(shape.dataset.number);
  }
  chart.dataset.drawn = drawn.size;
  chart.dataset.outside = outside;
  closed.forEach(part => (part.open = false));
}
