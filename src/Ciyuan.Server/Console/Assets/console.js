// Charts, live pages and keys. Everything here makes a page nicer that works without it.
(() => {
  const dark = () => document.documentElement.dataset.bsTheme === 'dark';
  const dull = ['#1f7a72', '#e0a030', '#4c6fb1', '#c2563c', '#7a5aa6', '#5d8f3d', '#b0467a', '#2f9bb5', '#8a7350', '#6b7785'];
  // On a dark ground the same hues, lighter.
  const bright = ['#4fb8ac', '#e8b452', '#7c9ddb', '#e58368', '#a88bd4', '#8bbf69', '#d876a0', '#62bfd4', '#b9a27b', '#98a4b2'];
  const short = (value, lang) => {
    const size = Math.abs(value);
    const units = lang === 'zh' ? [[1e12, '万亿'], [1e8, '亿'], [1e4, '万']] : [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'K']];
    for (const [per, unit] of units) {
      if (size >= per) return String(Number((value / per).toFixed(size / per >= 100 ? 0 : size / per >= 10 ? 1 : 2))) + ' ' + unit;
    }
    return size !== 0 && size < 1 ? value.toPrecision(2) : String(Math.round(value * 100) / 100);
  };
  const exact = (value) => Number(value).toLocaleString('en-US', { maximumFractionDigits: 6 });

  function options(m, lang) {
    const ink = dark() ? '#c8d0da' : '#3b4652';
    const line = dark() ? '#33404d' : '#e3e8ee';
    const axis = { axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: ink, hideOverlap: true, fontSize: 12 }, splitLine: { lineStyle: { color: line } } };
    const base = {
      animation: false, color: dark() ? bright : dull, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
      aria: { enabled: false },
      grid: { left: 8, right: 16, top: m.series.length > 1 && m.kind !== 'heat' ? 36 : 12, bottom: 4, containLabel: true },
      tooltip: { renderMode: 'richText', confine: true, backgroundColor: dark() ? '#1d2731' : '#ffffff', borderColor: line, textStyle: { color: ink, fontSize: 12 } },
    };
    const unit = m.unit ? ' ' + m.unit : '';
    if (m.kind === 'heat') {
      const cells = m.series.flatMap((s, y) => s.values.map((v, x) => [x, y, v]));
      const most = Math.max(1e-9, ...cells.map((c) => c[2]));
      return { ...base,
        xAxis: { type: 'category', data: m.labels, ...axis },
        yAxis: { type: 'category', data: m.series.map((s) => s.name), inverse: true, ...axis },
        visualMap: { min: 0, max: most, show: false, inRange: { color: dark() ? ['#1d2731', '#1f7a72', '#8fe0d5'] : ['#f3f7f7', '#79c2b9', '#0e544e'] } },
        tooltip: { ...base.tooltip, formatter: (p) => `${m.series[p.value[1]].name} ${m.labels[p.value[0]]}\n${exact(p.value[2])}${unit}` },
        series: [{ type: 'heatmap', data: cells, itemStyle: { borderWidth: 1, borderColor: dark() ? '#161e27' : '#ffffff' } }] };
    }
    if (m.kind === 'share') {
      return { ...base,
        grid: { ...base.grid, top: 4, left: 20, right: 72 },
        xAxis: { type: 'value', show: false },
        yAxis: { type: 'category', inverse: true, data: m.labels, ...axis, axisLabel: { color: ink, width: 180, overflow: 'truncate' } },
        tooltip: { ...base.tooltip, formatter: (p) => `${p.name}\n${exact(p.value)}${unit}` },
        series: m.series.map((s) => ({ type: 'bar', name: s.name, data: s.values, barMaxWidth: 18, itemStyle: { borderRadius: 3 },
          label: { show: true, position: 'right', color: ink, formatter: (p) => short(p.value, lang) } })) };
    }
    const stacked = m.kind === 'stack';
    const whole = m.series.every((s) => s.values.every(Number.isInteger)); // then a scale has no fractions
    return { ...base,
      legend: { show: m.series.length > 1, top: 0, left: 0, type: 'scroll', textStyle: { color: ink, fontSize: 13 }, icon: 'roundRect', itemWidth: 12, itemHeight: 8 },
      tooltip: { ...base.tooltip, trigger: 'axis', formatter: (ps) => ps[0].axisValueLabel + '\n' + ps.filter((p) => p.value !== undefined)
        .map((p) => `${p.marker} ${p.seriesName}  ${exact(p.value)}${unit}`).join('\n') },
      xAxis: { type: 'category', boundaryGap: stacked, data: m.labels, ...axis, splitLine: { show: false } },
      yAxis: { type: 'value', minInterval: whole ? 1 : 0, ...axis, axisLine: { show: false }, axisLabel: { color: ink, formatter: (v) => short(v, lang) } },
      series: m.series.map((s) => stacked && !s.dashed
        ? { type: 'bar', stack: 'all', name: s.name, data: s.values, barMaxWidth: 28 }
        : { type: 'line', name: s.name, data: s.values, showSymbol: s.values.length < 3, smooth: 0.2,
          lineStyle: { width: s.dashed ? 1.5 : 2.5, type: s.dashed ? 'dashed' : 'solid' }, areaStyle: s.dashed || stacked || m.series.length > 2 ? undefined : { opacity: 0.08 } }) };
  }

  function draw(root) {
    if (!window.echarts) return;
    for (const figure of root.querySelectorAll('figure.chart')) {
      const data = figure.querySelector('script[type="application/json"]');
      const plot = figure.querySelector('.plot');
      if (!data || !plot) continue;
      const model = JSON.parse(data.textContent);
      if (model.kind === 'share' || model.kind === 'heat') {
        const rows = model.kind === 'share' ? model.labels.length : model.series.length;
        plot.style.height = Math.max(120, rows * 28 + 24) + 'px';
      }
      const chart = echarts.getInstanceByDom(plot) || echarts.init(plot, null, { renderer: 'canvas' });
      chart.setOption(options(model, figure.dataset.lang), true);
      chart.off('click');
      chart.on('click', (p) => {
        const link = model.kind === 'share' ? (model.links || [])[p.dataIndex] : (model.series[p.seriesIndex] || {}).link;
        if (link) location.assign(link);
      });
    }
  }

  const redraw = () => draw(document);
  addEventListener('DOMContentLoaded', redraw);
  addEventListener('themechange', redraw);
  addEventListener('resize', () => {
    if (!window.echarts) return;
    for (const plot of document.querySelectorAll('.plot')) echarts.getInstanceByDom(plot)?.resize();
  });
  document.addEventListener('htmx:beforeSwap', (e) => {
    if (!window.echarts || !e.detail.target) return;
    for (const plot of e.detail.target.querySelectorAll('.plot')) echarts.getInstanceByDom(plot)?.dispose();
  });
  document.addEventListener('htmx:afterSettle', redraw);

  // A page that is live asks for itself when there is news and somebody looks.
  addEventListener('DOMContentLoaded', () => {
    const live = document.querySelector('[data-live]');
    if (!live || !window.htmx) return;
    let feed = null;
    const news = () => {
      const now = document.querySelector('[data-live]');
      if (now && !now.contains(document.activeElement)) htmx.trigger(now, 'live');
    };
    const open = () => {
      if (document.hidden || feed) return;
      feed = new EventSource(live.dataset.live);
      feed.onmessage = news;
    };
    document.addEventListener('visibilitychange', () => {
      if (document.hidden && feed) { feed.close(); feed = null; } else open();
    });
    addEventListener('pagehide', () => { if (feed) { feed.close(); feed = null; } });
    open();
  });

  // Forms that choose what is shown send themselves, but none that has something done; "/" goes to the search.
  document.addEventListener('change', (e) => {
    if (e.target.matches('form.choose[method=get] :is(select, input)')) e.target.form.requestSubmit();
  });
  document.addEventListener('submit', (e) => {
    // Empty fields would stand in the address for nothing.
    if (e.target.method === 'get') for (const f of e.target.elements) if (f.name && !f.value) f.disabled = true;
    const ask = e.target.dataset.confirm;
    if (ask && !confirm(ask)) e.preventDefault();
  });
  document.addEventListener('keydown', (e) => {
    if (e.key === '/' && !e.target.matches('input, textarea, select')) {
      document.querySelector('.find input')?.focus();
      e.preventDefault();
    }
  });
  addEventListener('pageshow', () => { for (const f of document.querySelectorAll('form[method="get"] :disabled')) f.disabled = false; });
})();
