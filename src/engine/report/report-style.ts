/** The look of a report: the app's colours in light and dark, and on paper. Nothing is loaded from anywhere. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;--paper:#faf8f4;--panel:#fff;--ink:#1f2328;--muted:#636871;--line:#e4dfd6;--accent:#b93a12;--on-accent:#fff;--wash:#fbe9e1;--teal:#0e5a61;--cell:#e9e0cf;--good:#2a7248}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--panel:#1c2025;--ink:#e9e6e0;--muted:#9aa0a8;--line:#2c3238;--accent:#ff7a4d;--on-accent:#1a0d07;--wash:#3a2119;--teal:#5fd0c5;--cell:#333b3c;--good:#6fbf8d}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:40px 32px 64px;background:var(--paper);color:var(--ink);font:14px/1.55 Inter,system-ui,sans-serif}
h1{font-size:28px;line-height:1.25;letter-spacing:-.02em;margin:0 0 8px;overflow-wrap:anywhere}
h2{font-size:16px;margin:36px 0 10px}
p{margin:0 0 8px;max-width:720px}
.lead{font-size:16px}
.muted,caption{color:var(--muted)}
small,.small{font-size:12px}
table{border-collapse:collapse;width:100%}
caption{text-align:left;padding-bottom:6px;font-size:12px}
th,td{text-align:left;font-weight:400;vertical-align:baseline;padding:6px 16px 6px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
thead th{color:var(--muted);font-size:12px}
.figures{max-width:960px}.numbers td{white-space:nowrap}
.figures td,.figures thead th+th{text-align:right;padding:6px 0 6px 16px;font-variant-numeric:tabular-nums}
svg{display:block;width:100%;height:auto;max-width:720px}
svg.strip{max-width:100%;max-height:96px;width:auto}
svg text{fill:var(--muted);font:12px Inter,system-ui,sans-serif}
.grid{stroke:var(--line)}.curve{fill:none;stroke:var(--teal);stroke-width:2}.point{fill:var(--teal)}.here{fill:var(--accent)}
.kept{fill:var(--cell)}.gone{fill:var(--accent)}svg .place{fill:var(--on-accent);font-weight:600}
article{border-top:1px solid var(--line);padding:14px 0;break-inside:avoid}
.prompt{white-space:pre-wrap;overflow-wrap:anywhere;max-width:none}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(280px,100%),1fr));gap:12px}
.side{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:10px 14px;min-width:0}
.side.other{border-color:var(--accent)}
.side h3{font-size:12px;margin:0 0 6px;overflow-wrap:anywhere}
.text{white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.6 'JetBrains Mono',ui-monospace,monospace}
.right{color:var(--good)}.wrong{color:var(--accent)}
footer{margin-top:40px;padding-top:12px;border-top:1px solid var(--line);color:var(--muted);font-size:12px}
@media print{body{padding:0;max-width:none}}
`;
