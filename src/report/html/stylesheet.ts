/**
 * The whole style of a report. One scale of type, one accent, and the inks of the charts as
 * variables, so that the same drawing serves light, dark and print.
 */

const LIGHT = `
  --ground: #f6f6f3; --paper: #ffffff; --text: #1b2026; --quiet: #545d68; --rule: #dfe1e4;
  --accent: #0b5cab; --mark: #ffd76a; --on-mark: #3b2b00; --code: #f0f1ee;
  --ink-text: #1b2026; --ink-faint: #545d68; --ink-line: #e4e6e9; --ink-paper: #ffffff;
  --ink-together: #0b62b8; --ink-alone: #c2410c; --ink-ideal: #6b7280;
  --ink-third: #0f7a5a; --ink-fourth: #8a3ea8; --ink-shade: #e3eaf2;
  --ink-wait: #8f97a1; --ink-prefill: #cf7a1c; --ink-decode: #2f78b5; --ink-stall: #8a3ea8; --ink-lost: #b3123b;
  --ink-heat0: #e8f1fa; --ink-heat1: #cfe2f5; --ink-heat2: #a9cdec; --ink-heat3: #7db3e0;
  --ink-heat4: #2f78b5; --ink-heat5: #175f9f; --ink-heat6: #0b4678;
  --ink-on-heat0: #0d2236; --ink-on-heat6: #ffffff;`;

const DARK = `
  --ground: #0e1216; --paper: #151a20; --text: #e7eaed; --quiet: #a5aeb8; --rule: #2c333b;
  --accent: #7fbcff; --mark: #ffd76a; --on-mark: #3b2b00; --code: #1e252d;
  --ink-text: #e7eaed; --ink-faint: #a5aeb8; --ink-line: #2a3138; --ink-paper: #151a20;
  --ink-together: #6cb0f5; --ink-alone: #ff9b5e; --ink-ideal: #9aa4af;
  --ink-third: #5bc8a0; --ink-fourth: #c99bea; --ink-shade: #243140;
  --ink-wait: #7d8792; --ink-prefill: #f0a354; --ink-decode: #5aa0d8; --ink-stall: #c99bea; --ink-lost: #ff6f8f;
  --ink-heat0: #1a2530; --ink-heat1: #1d3650; --ink-heat2: #224d73; --ink-heat3: #2a6597;
  --ink-heat4: #5aa0d8; --ink-heat5: #86bdea; --ink-heat6: #b7d9f5;
  --ink-on-heat0: #e8f0f7; --ink-on-heat6: #08131e;`;

const BASE = `
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: 4rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 400 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1, h2, h3, h4, p, dl, dd, ul, figure { margin: 0; }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.015em; }
h2 { font-size: 1.375rem; line-height: 1.3; font-weight: 650; letter-spacing: -0.01em; }
h3 { font-size: 1.0625rem; line-height: 1.35; font-weight: 600; }
h4 { font-size: 1rem; line-height: 1.4; font-weight: 600; }
a { color: var(--accent); text-underline-offset: 0.15em; }
code { font: 0.9em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.quiet { color: var(--quiet); font-size: 0.875rem; }
.page { max-width: 66rem; margin: 0 auto; padding: 0 1.25rem; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; z-index: 3; padding: 0.5rem 1rem; background: var(--paper); }`;

const STRUCTURE = `
.simulated-banner {
  position: sticky; top: 0; z-index: 2; background: var(--mark); color: var(--on-mark);
  padding: 0.4rem 0; font-size: 0.875rem; font-weight: 600;
}
.tag {
  display: inline-block; vertical-align: 0.15em; margin-left: 0.5rem; padding: 0 0.45rem; border-radius: 3px;
  background: var(--mark); color: var(--on-mark); font-size: 0.6875rem; line-height: 1.25rem; font-weight: 650;
  letter-spacing: 0.04em;
}
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; margin: 0; padding: 0.85rem 0 0; list-style: none; font-size: 0.875rem; }
.run { padding-bottom: 1rem; }
.run + .run { border-top: 1px solid var(--rule); margin-top: 3rem; }
.answer { padding: 1.1rem 0 0.5rem; }
.answer .lead { margin: 0.75rem 0 1.1rem; font-size: 1.25rem; line-height: 1.4; max-width: 58rem; text-wrap: pretty; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1px; background: var(--rule); border: 1px solid var(--rule); border-radius: 6px; overflow: hidden; }
.tiles > div { background: var(--paper); padding: 0.8rem 1rem 0.9rem; }
.tiles dt { font-size: 0.875rem; color: var(--quiet); }
.tiles dd { font-size: 1.5rem; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; }
.tiles dd.how { font-size: 0.875rem; line-height: 1.4; font-weight: 400; letter-spacing: 0; color: var(--quiet); }
.brief { display: grid; grid-template-columns: 8.5rem 1fr; gap: 0.45rem 1.25rem; margin: 1.1rem 0 0; font-size: 0.9375rem; }
.brief dt { font-weight: 600; }
.brief dd { max-width: 56rem; }
.command { display: inline-block; padding: 0.2rem 0.55rem; border-radius: 4px; background: var(--code); }
.section { padding-top: 2.75rem; }
.section > h2, .section > h3 { margin-bottom: 0.35rem; }
.section > p { max-width: 46rem; margin-bottom: 0.75rem; }
.section > .scroll + p { margin-top: 0.75rem; }
.section > h3, .section > h4 { margin: 1.5rem 0 0.4rem; }
.section > .first { font-size: 1.125rem; line-height: 1.45; max-width: 58rem; }
.items { max-width: 52rem; padding-left: 1.1rem; margin: 0 0 0.75rem; }
.section > .scroll + .items, .section > .cell + .items { margin-top: 0.75rem; }
.items .items { margin: 0; padding-left: 1.4rem; }
.warnings { padding: 0; list-style: none; display: grid; gap: 0.75rem; }
.warnings li { background: var(--paper); border: 1px solid var(--rule); border-left: 4px solid var(--ink-prefill); border-radius: 4px; padding: 0.7rem 1rem; }
.grid { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem; margin-top: 1rem; }
.grid + ul, .grid + p { margin-top: 1rem; }
.grid > .wide { grid-column: 1 / -1; }
.meanings { max-width: 46rem; padding-left: 1.1rem; margin-top: 1rem; }
footer { border-top: 1px solid var(--rule); margin-top: 3rem; padding: 1.25rem 0 2.5rem; }`;

const FIGURES = `
.figure { background: var(--paper); border: 1px solid var(--rule); border-radius: 6px; padding: 0.9rem 1rem 0.7rem; min-width: 0; }
.figure figcaption { font-size: 0.875rem; color: var(--quiet); margin-top: 0.35rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; margin: 0.25rem 0 0.4rem; padding: 0; list-style: none; font-size: 0.875rem; color: var(--quiet); }
.legend svg { width: 1.35rem; height: 0.75rem; margin-right: 0.35rem; vertical-align: -0.05rem; }
.chart { overflow-x: auto; }
.chart svg { display: block; width: 100%; height: auto; }
.chart text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 12px; font-variant-numeric: tabular-nums; }
details { margin-top: 0.6rem; }
summary { cursor: pointer; font-size: 0.875rem; color: var(--accent); }
.cell { background: var(--paper); border: 1px solid var(--rule); border-radius: 6px; padding: 0.6rem 1rem; margin-top: 0.6rem; }
.cell > summary { font-size: 1rem; font-weight: 600; color: var(--text); }
.scroll { overflow-x: auto; margin-top: 0.75rem; }
.section > .scroll { background: var(--paper); border: 1px solid var(--rule); border-radius: 6px; padding: 0.6rem 1rem 0.8rem; }
table { border-collapse: collapse; font-size: 0.875rem; line-height: 1.4; min-width: 100%; }
caption { text-align: left; font-weight: 600; padding: 0.15rem 0 0.45rem; caption-side: top; }
th, td { text-align: left; padding: 0.32rem 1rem 0.32rem 0; vertical-align: top; border-top: 1px solid var(--rule); overflow-wrap: normal; }
thead th { border-top: 0; color: var(--quiet); font-weight: 500; vertical-align: bottom; }
tbody th { font-weight: 500; max-width: 26rem; overflow-wrap: break-word; }
tbody th.short { white-space: nowrap; }
tbody th.part { padding-left: 1rem; font-weight: 400; }
td.text { overflow-wrap: break-word; max-width: 44rem; }
.num { text-align: right; white-space: nowrap; }
th.num { white-space: normal; }
tr > :last-child { padding-right: 0; }`;

/** Below this a chart of 480 pixels would need letters of under 9 pixels, so the wide ones scroll instead. */
const NARROW = `
@media (max-width: 46rem) {
  .grid { grid-template-columns: minmax(0, 1fr); }
  .brief { grid-template-columns: 1fr; gap: 0.1rem; }
  .brief dd { margin-bottom: 0.7rem; }
  h1 { font-size: 1.625rem; }
  .answer .lead { font-size: 1.125rem; }
  .figure, .cell { padding-left: 0.75rem; padding-right: 0.75rem; }
  .wide .chart svg { width: 44rem; max-width: none; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tiles > div { padding: 0.6rem 0.75rem; }
  .tiles dd { font-size: 1.25rem; }
}`;

/** The margin box repeats on every sheet of a simulated run; a sticky banner would stand on the first alone. */
const PRINT = `
@page { size: A4; margin: 16mm 14mm; }
@page simulated { margin-top: 20mm; @top-center { content: "SIMULATED: no real server was measured"; font: 600 10pt system-ui, sans-serif; } }
@media print {
  body { background: #ffffff; font-size: 10pt; }
  .page { max-width: none; padding: 0; }
  .simulated { page: simulated; }
  .simulated-banner { position: static; border: 1.5pt solid #3b2b00; padding: 0.3rem 0.6rem; }
  .run + .run { break-before: page; }
  nav, .skip, footer { display: none; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .tiles dd { font-size: 1.125rem; }
  .answer .lead { font-size: 1.125rem; }
  .section { padding-top: 1.5rem; }
  h2, h3, h4, summary, caption { break-after: avoid; }
  .figure, .warnings li, .tiles, tr { break-inside: avoid; }
  .scroll, .chart { overflow: visible; }
  table { font-size: 8.5pt; }
  .quiet { font-size: 8.5pt; }
  th, td { padding-right: 0.6rem; }
  a { color: inherit; text-decoration: none; }
  details:not([open])::details-content { content-visibility: visible; display: block; block-size: auto; }
  .figure details { display: none; }
}`;

export const STYLESHEET = `:root { color-scheme: light dark;${LIGHT}
}
@media screen and (prefers-color-scheme: dark) { :root {${DARK}
} }
${BASE}${STRUCTURE}${FIGURES}${NARROW}${PRINT}
`;
