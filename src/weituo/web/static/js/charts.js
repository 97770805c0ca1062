// Draws every figure[data-chart] from its JSON specification; redraws when the theme or the width changes.
(() => {
  "use strict";
  if (!window.echarts) return;
  const language = document.documentElement.lang || "zh-hans";
  const NARROW = 520;

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const palette = () => [1, 2, 3, 4, 5, 6].map((number) => css(`--series-${number}`));

  const formatter = (spec, { compact = false } = {}) => {
    const { format, currency = "CNY", digits = 2 } = spec.y;
    if (format === "percent") {
      const shares = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: compact ? 0 : 1 });
      const fine = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 });
      return (value) => (value === null || value === undefined ? "–" : (compact && Math.abs(value) < 0.02 ? fine : shares).format(value));
    }
    const options = compact ? { notation: "compact", maximumFractionDigits: 1 } : {};
    if (format === "money") {
      Object.assign(options, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
      if (compact) options.minimumFractionDigits = 0;
      const sums = new Intl.NumberFormat(language, options);
      return (value) => (value === null || value === undefined ? "–" : sums.format(value / 10 ** digits));
    }
    const numbers = new Intl.NumberFormat(language, compact ? options : { maximumFractionDigits: 2 });
    return (value) => (value === null || value === undefined ? "–" : numbers.format(value));
  };

  const escape = (text) => {
    const node = document.createElement("span");
    node.textContent = text;
    return node.innerHTML;
  };

  const hasInterval = (series) => Array.isArray(series.low) && Array.isArray(series.high);

  const colours = (spec) => {
    const list = palette();
    let taken = 0;
    return spec.series.map((one) => {
      if (one.style === "peer") return css("--series-peer");
      if (one.style === "dashed") return css("--series-plan");
      return list[taken++ % list.length];
    });
  };

  // an interval as a band: one polygon, so that gaps stay gaps
  const band = (series, colour, xs) => ({
    type: "custom",
    name: series.name,
    silent: true,
    z: 1,
    // both ends are told to the axis, so that it reaches around the band
    data: xs.map((x, index) => [x, series.low[index], series.high[index]]),
    encode: { x: 0, y: [1, 2] },
    tooltip: { show: false },
    renderItem: (params, api) => {
      if (params.dataIndex > 0) return undefined;
      const upper = [];
      const lower = [];
      xs.forEach((x, index) => {
        if (series.low[index] === null || series.high[index] === null || series.low[index] === undefined) return;
        upper.push(api.coord([x, series.high[index]]));
        lower.push(api.coord([x, series.low[index]]));
      });
      return { type: "polygon", shape: { points: [...upper, ...lower.reverse()] }, style: { fill: colour, opacity: 0.14 } };
    },
  });

  // an interval as a whisker on a bar or a point
  const whiskers = (series, colour, xs, horizontal, shift) => ({
    type: "custom",
    name: series.name,
    silent: true,
    z: 5,
    tooltip: { show: false },
    data: xs.map((x, index) => [x, series.low[index], series.high[index]]),
    encode: horizontal ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
    renderItem: (params, api) => {
      const low = api.value(1);
      const high = api.value(2);
      if (Number.isNaN(low) || Number.isNaN(high)) return undefined;
      const point = (value) => (horizontal ? api.coord([value, api.value(0)]) : api.coord([api.value(0), value]));
      const offset = shift ? shift(api) : 0;
      const [from, to] = [point(low), point(high)].map(([x, y]) => (horizontal ? [x, y + offset] : [x + offset, y]));
      const cap = (at) => (horizontal ? { x1: at[0], x2: at[0], y1: at[1] - 4, y2: at[1] + 4 } : { x1: at[0] - 4, x2: at[0] + 4, y1: at[1], y2: at[1] });
      const style = { stroke: colour, lineWidth: 1.5 };
      return {
        type: "group",
        children: [
          { type: "line", shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }, style },
          { type: "line", shape: cap(from), style },
          { type: "line", shape: cap(to), style },
        ],
      };
    },
  });

  const text = () => ({ color: css("--ink-quiet"), fontFamily: css("--font"), fontSize: 12 });

  const frame = (spec, width) => {
    const label = text();
    const short = formatter(spec, { compact: true });
    return {
      animation: false,
      textStyle: { fontFamily: css("--font"), color: css("--ink") },
      grid: { left: 8, right: 16, top: 28, bottom: spec.x.name ? 26 : 8, containLabel: true },
      xAxis: {
        type: "category",
        name: spec.x.name || "",
        nameLocation: "middle",
        nameGap: 28,
        nameTextStyle: label,
        axisLabel: { ...label, hideOverlap: true },
        axisLine: { lineStyle: { color: css("--rule-strong") } },
        axisTick: { show: false },
        data: spec.x.values.map(String),
      },
      yAxis: {
        type: "value",
        name: spec.y.name || "",
        nameTextStyle: { ...label, align: "left" },
        nameGap: 12,
        splitNumber: width < NARROW ? 3 : 4,
        minInterval: (spec.y.format || "count") === "count" && spec.series && spec.series.every((one) => one.values.every((value) => value === null || Number.isInteger(value))) ? 1 : 0,
        axisLabel: { ...label, formatter: short, hideOverlap: true },
        splitLine: { lineStyle: { color: css("--rule") } },
      },
      tooltip: {
        trigger: "axis",
        confine: true,
        backgroundColor: css("--paper"),
        borderColor: css("--rule-strong"),
        textStyle: { color: css("--ink"), fontSize: 13 },
        axisPointer: { type: spec.kind === "bar" ? "shadow" : "line", lineStyle: { color: css("--rule-strong") } },
      },
      legend: { show: false },
      narrow: width < NARROW,
    };
  };

  const withLegend = (option, spec) => {
    if (spec.series.length < 2) return option;
    option.legend = { show: true, top: 0, left: 0, icon: "roundRect", itemWidth: 14, itemHeight: 3, type: "scroll", textStyle: text() };
    option.grid.top = spec.y.name ? 56 : 36;
    if (spec.y.name) option.yAxis.nameGap = 8;
    return option;
  };

  const interval = (series, index, show) =>
    hasInterval(series) && series.low[index] !== null && series.high[index] !== null && series.low[index] !== undefined
      ? ` <span class="tip-range">${escape(show(series.low[index]))} – ${escape(show(series.high[index]))}</span>`
      : "";

  const axisTip = (spec) => {
    const show = formatter(spec);
    return (points) => {
      const index = points[0].dataIndex;
      const lines = spec.series
        .filter((series) => series.values[index] !== null && series.values[index] !== undefined)
        .map((series) => `<br>${escape(series.name)}: <b>${escape(show(series.values[index]))}</b>${interval(series, index, show)}`);
      return `${escape(spec.x.name ? `${spec.x.name} ` : "")}${escape(String(spec.x.values[index]))}${lines.join("")}`;
    };
  };

  const line = (spec, width) => {
    const option = frame(spec, width);
    const xs = spec.x.values.map(String);
    const tints = colours(spec);
    const direct = !option.narrow && spec.series.length > 1;
    // a name at the end of a line gives way to one that matters more: the lines shown in full, then the plan, then peers
    const ends = spec.series.map((one) => [...one.values].reverse().find((value) => value !== null && value !== undefined));
    const all = spec.series.flatMap((one) => one.values.filter((value) => value !== null && value !== undefined));
    const room = ((Math.max(...all) - Math.min(0, ...all)) * 1.1 * 15) / 210;
    const weight = { solid: 0, dashed: 1, peer: 2 };
    const named = new Set();
    spec.series
      .map((one, index) => index)
      .sort((a, b) => (weight[spec.series[a].style] || 0) - (weight[spec.series[b].style] || 0))
      .forEach((index) => {
        if (ends[index] !== undefined && [...named].every((other) => Math.abs(ends[other] - ends[index]) >= room)) named.add(index);
      });
    if (direct) option.grid.right = Math.min(170, 24 + Math.max(...spec.series.map((one) => [...one.name].reduce((sum, sign) => sum + (sign.charCodeAt(0) > 0x2e7f ? 12.5 : 7), 0))));
    else withLegend(option, spec);
    option.tooltip.formatter = axisTip(spec);
    option.xAxis.boundaryGap = false;
    option.series = spec.series.flatMap((one, index) => {
      const quiet = one.style === "peer" || one.style === "dashed";
      const drawn = {
        type: "line",
        name: one.name,
        data: one.values,
        symbol: one.values.filter((value) => value !== null).length > 1 ? "none" : "circle",
        symbolSize: 7,
        z: quiet ? 2 : 4,
        color: tints[index],
        lineStyle: { width: quiet ? 1.25 : 2.25, type: one.style === "dashed" ? "dashed" : "solid", color: tints[index] },
        endLabel: { show: direct && (named.has(index) || !quiet), formatter: one.name, color: quiet ? css("--ink-quiet") : tints[index], fontSize: 12, distance: 6, width: 150, overflow: "truncate" },
        labelLayout: { moveOverlap: "shiftY" },
        triggerLineEvent: Boolean(one.link),
        emphasis: { disabled: true },
      };
      return hasInterval(one) ? [band(one, tints[index], xs), drawn] : [drawn];
    });
    return option;
  };

  const bar = (spec, width) => {
    const option = frame(spec, width);
    const tints = colours(spec);
    // a sign of Chinese is nearly twice as wide as a letter
    const longest = Math.max(0, ...spec.x.values.map((value) => [...String(value)].reduce((sum, sign) => sum + (sign.charCodeAt(0) > 0x2e7f ? 12.5 : 7), 0)));
    const horizontal = (longest + 24) * spec.x.values.length > width - 80 && longest > 40 && spec.x.values.length <= 40;
    const groups = spec.series.length;
    withLegend(option, spec);
    option.tooltip.formatter = axisTip(spec);
    const short = formatter(spec, { compact: true });
    const widthOf = groups > 1 ? Math.max(6, 48 / groups) : undefined;
    option.series = spec.series.flatMap((one, index) => {
      const drawn = {
        type: "bar",
        name: one.name,
        data: one.values,
        color: tints[index],
        barMaxWidth: widthOf || 36,
        itemStyle: { borderRadius: horizontal ? [0, 2, 2, 0] : [2, 2, 0, 0] },
        label: { show: groups === 1 && spec.x.values.length <= 14 && !hasInterval(one), position: horizontal ? "right" : "top", color: css("--ink"), fontSize: 12, formatter: (point) => short(point.value) },
        labelLayout: { hideOverlap: true },
        emphasis: { disabled: true },
      };
      if (!hasInterval(one) || groups > 1) return [drawn];
      return [drawn, whiskers(one, css("--ink"), spec.x.values.map(String), horizontal)];
    });
    if (horizontal) {
      const { xAxis, yAxis } = option;
      option.yAxis = { ...xAxis, inverse: true, name: "", axisLabel: { ...xAxis.axisLabel, width: option.narrow ? 96 : 180, overflow: "truncate", interval: 0 } };
      option.xAxis = { ...yAxis, nameLocation: "middle", nameGap: 26, nameTextStyle: text() };
      option.grid.right = 56;
      option.grid.bottom = yAxis.name ? 28 : 8;
    }
    return option;
  };

  const heat = (spec, width) => {
    const option = frame(spec, width);
    const show = formatter(spec);
    const short = formatter(spec, { compact: true });
    const values = spec.cells.map((cell) => cell[2]).filter((value) => value !== null);
    const cellWidth = (width - 90) / Math.max(1, spec.x.values.length);
    option.grid.bottom = spec.x.name ? 30 : 8;
    option.xAxis.splitArea = { show: false };
    option.yAxis = { ...option.xAxis, type: "category", name: "", inverse: true, data: spec.y_values.map(String) };
    option.tooltip = { ...option.tooltip, trigger: "item", formatter: (point) => `${escape(String(spec.y_values[point.value[1]]))} → ${escape(String(spec.x.values[point.value[0]]))}: <b>${escape(show(point.value[2]))}</b>` };
    option.visualMap = { show: false, min: Math.min(0, ...values), max: Math.max(...values, 1e-9), inRange: { color: [css("--heat-0"), css("--heat-1"), css("--heat-2")] } };
    option.series = [{ type: "heatmap", data: spec.cells, label: { show: cellWidth > 34, fontSize: 11, color: css("--ink"), formatter: (point) => short(point.value[2]) }, itemStyle: { borderColor: css("--paper"), borderWidth: 2 }, emphasis: { disabled: true } }];
    return option;
  };

  const scatter = (spec, width) => {
    const option = frame(spec, width);
    const show = formatter(spec);
    const tints = colours(spec);
    const numeric = spec.x.values.every((value) => typeof value === "number");
    if (numeric) {
      const short = formatter({ y: { ...spec.y, ...(spec.x.format ? { format: spec.x.format } : {}) } }, { compact: true });
      option.xAxis = { ...option.yAxis, name: spec.x.name, nameLocation: "middle", nameGap: 28, nameTextStyle: text(), scale: false, axisLabel: { ...text(), formatter: short } };
    }
    // long names stand beside their dots, one line each
    const longest = Math.max(0, ...spec.x.values.map((value) => [...String(value)].reduce((sum, sign) => sum + (sign.charCodeAt(0) > 0x2e7f ? 12.5 : 7), 0)));
    const lying = !numeric && (longest + 8) * spec.x.values.length > width - 80 && spec.x.values.length <= 60;
    withLegend(option, spec);
    if (lying) {
      const { xAxis, yAxis } = option;
      option.yAxis = { ...xAxis, inverse: true, name: "", axisLabel: { ...xAxis.axisLabel, width: option.narrow ? 96 : 180, overflow: "truncate", interval: 0 } };
      option.xAxis = { ...yAxis, nameLocation: "middle", nameGap: 26, nameTextStyle: text() };
      option.grid.bottom = yAxis.name ? 28 : 8;
    }
    const name = lying ? 1 : 0;
    option.tooltip = { ...option.tooltip, trigger: "item", formatter: (point) => `${escape(point.seriesName)}<br>${escape(spec.x.name)} ${escape(numeric ? show(point.value[0]) : String(point.value[name]))}: <b>${escape(show(point.value[1 - name]))}</b>` };
    option.series = spec.series.flatMap((one, index) => {
      const xs = numeric ? spec.x.values : spec.x.values.map(String);
      const data = xs.map((x, at) => (lying ? [one.values[at], x] : [x, one.values[at]])).filter((pair) => pair[1 - name] !== null && pair[1 - name] !== undefined);
      if (one.style === "dashed" || one.style === "peer")
        return [{ type: "line", name: one.name, data, symbol: "none", color: tints[index], lineStyle: { width: 1.25, type: one.style === "dashed" ? "dashed" : "solid" }, emphasis: { disabled: true } }];
      const drawn = { type: "scatter", name: one.name, data, symbolSize: 9, color: tints[index], z: 4 };
      return hasInterval(one) ? [whiskers(one, tints[index], xs, lying), drawn] : [drawn];
    });
    return option;
  };

  const KINDS = { line, bar, heat, scatter };

  const save = (address, name) => {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  };

  // the picture carries its finding and measure, so that it stands alone in a report
  const picture = (chart, spec) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      const head = 120;
      canvas.width = image.width;
      canvas.height = image.height + head;
      const pen = canvas.getContext("2d");
      pen.fillStyle = css("--paper");
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.fillStyle = css("--ink");
      pen.font = `600 32px ${css("--font")}`;
      pen.fillText(spec.title, 24, 48, canvas.width - 48);
      pen.fillStyle = css("--ink-quiet");
      pen.font = `24px ${css("--font")}`;
      pen.fillText([spec.subtitle, spec.note].filter(Boolean).join(" · "), 24, 88, canvas.width - 48);
      pen.drawImage(image, 0, head);
      save(canvas.toDataURL("image/png"), `${spec.id}.png`);
    };
    image.src = chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: css("--paper") });
  };

  const field = (value) => {
    if (value === null || value === undefined) return "";
    const plain = String(value);
    const safe = typeof value !== "number" && /^[=+\-@\t]/.test(plain) ? `'${plain}` : plain; // a sheet must not run it
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };

  const sheet = (spec) => {
    let rows;
    if (spec.kind === "heat") {
      rows = [["", ...spec.x.values], ...spec.y_values.map((name, y) => [name, ...spec.x.values.map((_, x) => (spec.cells.find((cell) => cell[0] === x && cell[1] === y) || [])[2])])];
    } else {
      const columns = spec.series.flatMap((one) => [[one.name, one.values], ...(hasInterval(one) ? [[`${one.name} low`, one.low], [`${one.name} high`, one.high]] : [])]);
      rows = [[spec.x.name, ...columns.map(([name]) => name)], ...spec.x.values.map((x, index) => [x, ...columns.map(([, values]) => values[index])])];
    }
    const unit = spec.y.format === "money" ? `\n${field(`${spec.y.currency || "CNY"}, 1/${10 ** spec.y.digits}`)}` : "";
    const body = `\ufeff${rows.map((row) => row.map(field).join(",")).join("\n")}${unit}\n`;
    save(URL.createObjectURL(new Blob([body], { type: "text/csv" })), `${spec.id}.csv`);
  };

  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const spec = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const area = figure.querySelector(".chart-area");
    if (spec.kind === "heat") area.style.height = `${Math.min(640, 60 + 34 * spec.y_values.length)}px`;
    const chart = window.echarts.init(area, null, { renderer: "canvas" });
    const draw = () => {
      if (!area.clientWidth) return;
      chart.resize();
      const { narrow: _narrow, ...option } = KINDS[spec.kind](spec, area.clientWidth);
      chart.setOption(option, { notMerge: true });
    };
    // a point leads to the accounts behind it; the table of numbers holds the same links for the keyboard
    const links = spec.x.links || [];
    chart.on("click", (point) => {
      const one = (spec.series || []).find((series) => series.name === point.seriesName);
      const address = (one && one.link) || links[point.dataIndex];
      if (address) window.location.assign(address);
    });
    draw();
    new ResizeObserver(draw).observe(area);
    document.addEventListener("weituo:theme", draw);
    if (document.fonts) document.fonts.ready.then(draw);
    const acts = { png: () => picture(chart, spec), csv: () => sheet(spec) };
    for (const button of figure.querySelectorAll("[data-export]")) {
      button.hidden = false;
      button.addEventListener("click", acts[button.dataset.export]);
    }
  }
})();
