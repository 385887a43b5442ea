// A board as PNG, SVG or HTML: its painter draws once more, with a pen that writes an SVG.

const SHARP = 2; // pixels of the file for one css pixel
const TITLE = 40; // css pixels above the picture

function svg(tag, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

class SvgPen extends Pen {
  constructor(parent) {
    super();
    Object.assign(this, { parent, ink: null, parts: [] });
  }

  fill(left, top, right, bottom, ink) {
    if (right <= 0 || bottom <= 0 || left >= this.columns || top >= this.rows) return;
    if (ink !== this.ink) this.flush();
    this.ink = ink;
    this.parts.push(`M${left} ${top}H${right}V${bottom}H${left}Z`);
  }

  // What has one colour, and lies together, is one path.
  flush() {
    if (this.parts.length) {
      const [red, green, blue] = [this.ink & 255, (this.ink >> 8) & 255, (this.ink >> 16) & 255];
      const look = { fill: `rgb(${red},${green},${blue})`, "fill-opacity": (this.ink >>> 24) / 255 };
      svg("path", { d: this.parts.join(""), ...look, "shape-rendering": "crispEdges" }, this.parent);
    }
    this.parts = [];
  }
}

// The board as it stands: title, photo, what its painter draws, outlines, labels.
async function drawingOf({ element, view, photo, title, painter }) {
  const [width, height] = [SHARP * element.clientWidth, SHARP * element.clientHeight];
  const above = title ? SHARP * TITLE : 0;
  const style = getComputedStyle(element);
  const ground = getComputedStyle(document.body).backgroundColor;
  const drawing = svg("svg", { width, height: height + above, viewBox: `0 0 ${width} ${height + above}` });
  svg("rect", { width, height: height + above, fill: ground }, drawing);
  const font = { "font-family": style.fontFamily, "font-weight": 600 };
  if (title) {
    const size = Math.min(18 * SHARP, (1.8 * width) / title.length); // a long one fits, too
    const words = { x: 0, y: 0.65 * above, fill: style.color, "font-size": size, ...font };
    svg("text", words, drawing).textContent = title;
  }
  const place = { y: above, width, height, viewBox: `0 0 ${width} ${height}`, overflow: "hidden" };
  const picture = svg("svg", place, drawing);
  svg("rect", { width, height, fill: style.backgroundColor }, picture);
  const image = element.querySelector(".rpn-photo");
  if (!image.hidden) {
    const [x, y] = [-view.left * width * view.zoom, -view.top * height * view.zoom];
    const sides = { x, y, width: width * view.zoom, height: height * view.zoom, preserveAspectRatio: "none" };
    const opacity = getComputedStyle(image).opacity;
    svg("image", { href: await asDataUrl(image.src), opacity, ...sides }, picture);
  }
  const pen = new SvgPen(picture);
  pen.aim({ columns: width, rows: height }, view, photo, SHARP);
  painter?.(pen);
  pen.flush();
  for (const node of element.querySelectorAll(".rpn-marks > div:not([hidden], .hover)")) outlineOf(node, element, picture);
  for (const node of element.querySelectorAll(".labels > span")) labelOf(node, element, font, picture);
  return drawing;
}

// Where a node lies on the board, in pixels of the file.
function cornersOf(node, element) {
  const [inner, outer] = [node.getBoundingClientRect(), element.getBoundingClientRect()];
  const [x, y] = [inner.left - outer.left, inner.top - outer.top];
  return { x: SHARP * x, y: SHARP * y, width: SHARP * inner.width, height: SHARP * inner.height };
}

function outlineOf(node, element, parent) {
  const { borderTopColor, borderTopStyle, borderTopWidth, backgroundColor } = getComputedStyle(node);
  const { x, y, width, height } = cornersOf(node, element);
  const line = SHARP * parseFloat(borderTopWidth);
  const inside = (side) => Math.max(side - line, 0);
  const sides = { x: x + line / 2, y: y + line / 2, width: inside(width), height: inside(height) };
  const dashes = borderTopStyle === "solid" ? {} : { "stroke-dasharray": `${2 * line} ${line}` };
  svg("rect", { ...sides, fill: "none", stroke: "rgba(0,0,0,0.7)", "stroke-width": line + 2 * SHARP, ...dashes }, parent);
  svg("rect", { ...sides, fill: backgroundColor, stroke: borderTopColor, "stroke-width": line, ...dashes }, parent);
}

function labelOf(node, element, font, parent) {
  const { backgroundColor, color, fontSize } = getComputedStyle(node);
  const place = cornersOf(node, element);
  svg("rect", { ...place, rx: 4 * SHARP, fill: backgroundColor }, parent);
  const middle = { x: place.x + place.width / 2, y: place.y + place.height / 2 };
  const size = SHARP * parseFloat(fontSize);
  const words = { ...middle, "text-anchor": "middle", "dominant-baseline": "central", fill: color, "font-size": size };
  svg("text", { ...words, ...font }, parent).textContent = node.textContent;
}

const textOf = (drawing) => new XMLSerializer().serializeToString(drawing);

async function pixelsOf(drawing) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([textOf(drawing)], { type: "image/svg+xml" }));
  await image.decode();
  const sheet = new OffscreenCanvas(image.width, image.height);
  sheet.getContext("2d").drawImage(image, 0, 0);
  URL.revokeObjectURL(image.src);
  return sheet.convertToBlob({ type: "image/png" });
}

// A page that needs no server, as wide as its window.
function pageOf(drawing) {
  const ground = getComputedStyle(document.body).backgroundColor;
  const style = `body{margin:0;background:${ground}}svg{width:100%;height:100vh}`;
  return new Blob(["<!doctype html><meta charset='utf-8'><style>", style, "</style>", textOf(drawing)], { type: "text/html" });
}

const KINDS = {
  png: pixelsOf,
  svg: (drawing) => new Blob([textOf(drawing)], { type: "image/svg+xml" }),
  html: pageOf,
};

// Three small buttons in the board's corner.
function offerFiles(board) {
  const row = makeElement("div", "rpn-save", board.element);
  for (const [kind, blobOf] of Object.entries(KINDS)) {
    const button = makeElement("button", "", row);
    Object.assign(button, { textContent: kind.toUpperCase(), title: `Download as ${kind.toUpperCase()}` });
    button.addEventListener("click", async () => {
      const drawing = await drawingOf(board);
      save(`${fileName(board.title)}.${kind}`, await blobOf(drawing));
    });
  }
}
