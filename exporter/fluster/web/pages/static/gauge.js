// A bar with the share used and a mark at the peak, as the server draws it in templates/gauge.html.
const SVG = "http://www.w3.org/2000/svg";

export function gauge(svg, name, share, peak) {
  if (!svg) {
    svg = document.createElementNS(SVG, "svg");
    for (const [key, value] of [["viewBox", "0 0 100 6"], ["preserveAspectRatio", "none"], ["role", "img"]]) svg.setAttribute(key, value);
    for (const part of ["track", "used", "peak"]) {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", part);
      rect.setAttribute("height", "6");
      svg.append(rect);
    }
    svg.querySelector(".track").setAttribute("width", "100");
  }
  const percent = (value) => Math.round(100 * Math.min(value, 1));
  const top = peak ?? share ?? 0;
  svg.setAttribute("class", top >= 0.9 ? "gauge high" : "gauge");
  svg.setAttribute("aria-label", [name, share === null ? null : `${percent(share)} % of the limit`, peak === null ? null : `peak ${percent(peak)} %`].filter(Boolean).join(", "));
  svg.querySelector(".used").setAttribute("width", percent(share ?? 0));
  const mark = svg.querySelector(".peak");
  mark.setAttribute("width", peak === null ? 0 : 1.5);
  mark.setAttribute("x", Math.max(percent(peak ?? 0) - 1.5, 0));
  return svg;
}
