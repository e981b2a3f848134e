// How often what failed, over time, beside the period before.

async function loadTrend(signal) {
  const { range } = view;
  const { from, to, bucket, length } = steps();
  const query = { bucket, group_by: "code" };
  const [current, before] = await Promise.all([
    get("errors/stats", { ...query, from: iso(from), to: iso(to) }, signal),
    get("errors/stats", { ...query, from: iso(from - length), to: iso(to - length) }, signal),
  ]);
  known.stats = { now: current, before, range };
  showTrend();
  showHealth();
}

/** The codes, the most frequent first, and all others as one. */
function trendSeries(stats) {
  const series = stats.groups.slice(0, SERIES).map(({ key, count: total, counts }) => ({
    name: key || "(no code)", code: key, total, values: counts,
  }));
  const shown = series.reduce((sum, { total }) => sum + total, 0);
  if (stats.total > shown) {
    const values = stats.buckets.map((one, place) =>
      one.count - series.reduce((sum, { values: counts }) => sum + counts[place], 0));
    series.push({ name: "others", code: null, total: stats.total - shown, values });
  }
  return series;
}

function showTrend() {
  if (!known.stats) return;
  // Where the range has changed, and the service has not answered since, the old one is what is shown.
  const { now: stats, before, range } = known.stats;
  const { step, name: length } = RANGES[range];
  const body = byId("trend");
  const isShare = view.measure === "share";
  const all = trendSeries(stats);
  const shareOf = (number, requests) => (requests > 0 ? number / requests : 0);
  const series = isShare
    ? all.map((one) => ({ ...one, values: one.values.map((value, place) => shareOf(value, stats.buckets[place].requests)) }))
    : all;
  const starts = stats.buckets.map((one) => Date.parse(one.start));
  // The other answer may have a step more or less where the clock has moved on between the two.
  const previous = starts.map((_, place) => {
    const one = before.buckets[place];
    return one ? (isShare ? shareOf(one.count, one.requests) : one.count) : 0;
  });
  const format = isShare ? percent : count;
  const unit = isShare ? `failures as a share of requests, in each ${span(step)}` : `failures in each ${span(step)}`;
  const when = (place) => {
    const [start, end] = [starts[place], starts[place] + step];
    // Days are UTC's, as the service counts them.
    if (step >= DAY) return `${dayOfUtc.format(start)} (UTC)${end > now() ? ", so far" : ""}`;
    const day = step >= HOUR ? `${dayAndMonth.format(start)}, ` : "";
    return `${day}${hourAndMinute.format(start)}–${hourAndMinute.format(end)}${end > now() ? ", so far" : ""}`;
  };
  const parts = (place) => series.filter(({ values }) => values[place] > 0)
    .map(({ name, values }) => `${name} ${format(values[place])}`);
  const describe = (place) => {
    const bucket = stats.buckets[place];
    const sum = isShare ? percent(shareOf(bucket.count, bucket.requests)) : number(bucket.count, "failure");
    return [`${when(place)}: ${sum}`, `of ${number(bucket.requests, "request")}`, ...parts(place),
      `the ${length} before: ${format(previous[place])}`].join("; ");
  };
  const drawing = stats.total === 0 && before.total === 0
    ? el("p", { class: "empty", "data-key": "none" }, `No failures in the last ${length}, and none in the one before.`)
    : [
        bars({
          width: Math.max(260, body.clientWidth), series, previous, starts, step, format,
          at: Math.min(trend.at ?? starts.length - 1, starts.length - 1), least: isShare ? 0.01 : 4, label: `Step of the chart: ${unit}`, describe,
        }),
        el("p", { class: "tip", "data-key": "tip", "aria-hidden": "true", hidden: true }),
        el("ul", { class: "legend", "data-key": "legend" },
          series.map(({ name, code, total }, number) => el("li", { "data-key": code === null ? "rest" : `code ${code}` },
            swatch(number),
            code ? el("button", { type: "button", class: "link", "data-act": "filter-code", "data-code": code,
              title: `Recent errors of ${code}` }, code) : name,
            el("span", { class: "quiet" }, count(total)))),
          el("li", { "data-key": "previous" }, previousSwatch(), `the ${length} before`,
            el("span", { class: "quiet" }, count(before.total)))),
        el("details", { class: "numbers", "data-key": "numbers" },
          el("summary", null, "The same as a table"),
          el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Failures over time as a table" }, el("table", null,
            el("thead", null, el("tr", null, ["Time", ...series.map(({ name }) => name), "Failures", "Requests", "Before"]
              .map((name) => el("th", { scope: "col" }, name)))),
            el("tbody", null, starts.map((start, place) => el("tr", { "data-key": start },
              el("th", { scope: "row" }, when(place)),
              series.map(({ values }) => el("td", null, format(values[place]))),
              el("td", null, count(stats.buckets[place].count)), el("td", null, count(stats.buckets[place].requests)),
              el("td", null, format(previous[place])))))))),
      ];
  trend.describe = describe;
  show(body, el("p", { class: "unit quiet", "data-key": "unit" }, `${unit[0].toUpperCase()}${unit.slice(1)}`), drawing);
  const chart = body.querySelector(".chart");
  if (trend.at !== null && chart) pointAt(chart, trend.at);
}

/** The step that is pointed at, and what there is to say of steps. */
const trend = { at: null, describe: null };

/** Points at one step of the chart. */
function pointAt(chart, place) {
  const [left, slot] = [Number(chart.dataset.left), Number(chart.dataset.slot)];
  const last = Number(chart.getAttribute("aria-valuemax"));
  const at = Math.min(last, Math.max(0, place));
  trend.at = at;
  chart.setAttribute("aria-valuenow", at);
  chart.setAttribute("aria-valuetext", trend.describe(at));
  chart.querySelector(".cursor").setAttribute("x", left + at * slot);
  const tip = byId("trend").querySelector(".tip");
  tip.replaceChildren(...trend.describe(at).split("; ").map((line) => el("span", null, line)));
  tip.hidden = false;
  // Beside the step, where there is more room.
  const [start, end] = [left + at * slot, left + (at + 1) * slot];
  const isRight = start > chart.clientWidth / 2;
  tip.style.left = isRight ? "auto" : `${end + 6}px`;
  tip.style.right = isRight ? `${chart.clientWidth - start + 6}px` : "auto";
}

function pointNowhere() {
  trend.at = null;
  const tip = byId("trend").querySelector(".tip");
  if (tip) tip.hidden = true;
  byId("trend").querySelector(".cursor")?.setAttribute("x", -1000);
}

function watchChart() {
  const body = byId("trend");
  const place = (chart, event) => {
    const { left } = chart.getBoundingClientRect();
    return Math.floor((event.clientX - left - Number(chart.dataset.left)) / Number(chart.dataset.slot));
  };
  body.addEventListener("pointermove", (event) => {
    const chart = event.target.closest(".chart");
    if (chart) pointAt(chart, place(chart, event));
    else pointNowhere();
  });
  body.addEventListener("pointerleave", pointNowhere);
  body.addEventListener("focusin", (event) => {
    // By the keyboard: the latest step first.
    if (event.target.matches(".chart:focus-visible")) pointAt(event.target, Number(event.target.getAttribute("aria-valuenow")));
  });
  body.addEventListener("focusout", pointNowhere);
  body.addEventListener("keydown", (event) => {
    const chart = event.target.closest(".chart");
    if (!chart) return;
    const at = Number(chart.getAttribute("aria-valuenow"));
    const last = Number(chart.getAttribute("aria-valuemax"));
    const wanted = {
      ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1,
      PageDown: at - 10, PageUp: at + 10, Home: 0, End: last,
    }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    pointAt(chart, wanted);
  });
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (Math.abs(contentRect.width - width) < 1) return;
    width = contentRect.width;
    showTrend();
  }).observe(body);
}
