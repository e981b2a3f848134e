// Drawings: SVG made here, so that they print, follow light and dark, and need nobody's library. What tells series
// apart is a texture as well as a colour.

const SERIES = 5;

/** Numbers of an axis from 0: at most five steps of 1, 2 or 5 times a power of ten. */
function ticks(most, least) {
  const rough = Math.max(most, least) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const numbers = [];
  for (let place = 0; place * step < most + step; place += 1) numbers.push(place * step);
  return numbers;
}

/** Textures of the series; the first is plain. */
function textures() {
  const texture = (number, ...marks) =>
    draw("pattern", { id: `texture-${number}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      draw("rect", { width: 6, height: 6, class: `series-${number}` }), ...marks);
  const line = (d) => draw("path", { d, class: "mark" });
  return draw("defs", null,
    texture(0),
    texture(1, line("M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2")),
    texture(2, draw("circle", { cx: 3, cy: 3, r: 1.2, class: "dot" })),
    texture(3, line("M0,1.5 h6 M0,4.5 h6")),
    texture(4, line("M1.5,0 v6 M4.5,0 v6")),
    texture(5, line("M-1,5 l2,2 M0,0 l6,6 M5,-1 l2,2")));
}

/** A swatch of the legend. */
function swatch(number) {
  return draw("svg", { class: "swatch", viewBox: "0 0 12 12", "aria-hidden": "true" },
    draw("rect", { width: 12, height: 12, fill: `url(#texture-${number})` }));
}

const previousSwatch = () =>
  draw("svg", { class: "swatch", viewBox: "0 0 12 12", "aria-hidden": "true" },
    draw("path", { d: "M0,6 h12", class: "previous" }));

/**
 * Bars on each other over time, with a line for the period before.
 * `series`: `{ name, values }`, the lowest first; `previous`: values; `starts`: when each step begins.
 */
function bars({ width, series, previous, starts, step, at, label, format, least, describe }) {
  const height = 220;
  const [left, right, top, bottom] = [52, 8, 10, 26];
  const sums = starts.map((_, place) => series.reduce((sum, { values }) => sum + values[place], 0));
  const numbers = ticks(Math.max(...sums, ...previous), least);
  const most = numbers.at(-1);
  const slot = (width - left - right) / starts.length;
  const x = (place) => left + place * slot;
  const y = (value) => top + (1 - value / most) * (height - top - bottom);
  const round = (number) => Math.round(number * 100) / 100;

  const grid = numbers.map((value) => [
    draw("line", { x1: left, x2: width - right, y1: round(y(value)), y2: round(y(value)), class: "grid" }),
    draw("text", { x: left - 6, y: round(y(value)) + 4, class: "axis end" }, format(value)),
  ]);
  const most_labels = Math.max(2, Math.floor((width - left) / 90));
  const every = Math.ceil(starts.length / most_labels);
  const times = starts.map((start, place) => {
    if (place % every !== 0 || x(place) > width - right - 34) return null;
    const text = step >= DAY ? dayOfUtc.format(start) : step > HOUR ? `${dayAndMonth.format(start)} ${hourAndMinute.format(start)}`
      : hourAndMinute.format(start);
    return draw("text", { x: round(x(place)), y: height - 8, class: "axis" }, text);
  });
  const gap = Math.min(2, slot * 0.2);
  const stacks = starts.map((_, place) => {
    let below = 0;
    return series.map(({ values }, number) => {
      const value = values[place];
      if (value === 0) return null;
      const [upper, lower] = [y(below + value), y(below)];
      below += value;
      return draw("rect", {
        x: round(x(place) + gap / 2), y: round(upper),
        width: round(slot - gap), height: round(Math.max(lower - upper, 0.75)),
        fill: `url(#texture-${number})`, class: "bar",
      });
    });
  });
  // A line of steps: it stands for spans of time, as the bars do.
  const before = previous.map((value, place) =>
    `${place === 0 ? "M" : "L"}${round(x(place))},${round(y(value))} H${round(x(place + 1))}`).join(" ");

  return draw("svg", {
    class: "chart", "data-key": "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "slider", tabindex: 0,
    "aria-label": label, "aria-orientation": "horizontal",
    "aria-valuemin": 0, "aria-valuemax": starts.length - 1, "aria-valuenow": at,
    "aria-valuetext": describe(at),
    "data-left": left, "data-slot": slot,
  },
  textures(), grid, stacks,
  previous.some((value) => value > 0) ? draw("path", { d: before, class: "previous" }) : null,
  draw("line", { x1: left, x2: width - right, y1: y(0), y2: y(0), class: "base" }),
  times,
  draw("rect", { class: "cursor", y: top, height: height - top - bottom, width: round(slot), x: -1000 }));
}

/** How something went, as small as a word. */
function spark(values, label) {
  const [width, height] = [96, 22];
  const most = Math.max(...values, 1);
  const slot = width / values.length;
  return draw("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    draw("line", { x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5, class: "grid" }),
    values.map((value, place) => {
      if (value === 0) return null;
      const tall = Math.max(1.5, (value / most) * (height - 2));
      return draw("rect", {
        x: (place * slot + slot * 0.1).toFixed(2), y: (height - tall).toFixed(2),
        width: (slot * 0.8).toFixed(2), height: tall.toFixed(2), class: "series-0",
      });
    }));
}

/** What state something was in, over time. `spans`: `{ state, from, to }`, within `from` and `to`. */
function strip(spans, from, to, label) {
  const [width, height] = [300, 14];
  const x = (time) => ((time - from) / (to - from)) * width;
  return draw("svg", {
    class: "strip", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none",
    ...(label === "" ? { "aria-hidden": "true" } : { role: "img", "aria-label": label }),
  },
  spans.map(({ state, from: start, to: end }) => {
    // What was short is seen too.
    const wide = Math.max(x(end) - x(start), ["closed", "unknown"].includes(state) ? 0 : 1.5);
    // States are told apart by height as well: the less comes through, the taller.
    const tall = { unknown: 1, closed: 4, metrics_only: 4, disabled: 7, half_open: 10 }[state] ?? height;
    return draw("rect", {
      x: x(start).toFixed(2), width: wide.toFixed(2), y: height - tall, height: tall, class: `state-${state}`,
    });
  }));
}
