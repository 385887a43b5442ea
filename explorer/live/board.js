// The live canvas: what every page that draws while the finger moves shares. A component's module
// cannot import another one, so `board.py` puts its files before the component's own script. Together
// they offer:
//
//   createView()                          zoom and place; boards that share one move together
//   createBoard(element, options)         a photo with a canvas on it, inside `element`; a board
//     options: label, view, onPointer(x, y, event) and onPointer(null) when the pointer leaves,
//              onPick(x, y, event) for a click or tap, onKey(event) that returns true if it used
//              the key; x and y are pixels of the photo. Left out: whatever the page does not need
//     board.setPhoto(url, width, height)  the photo and its sides in pixels; null is a blank canvas
//     board.setLabel(title, more)         what a screen reader says of it; a saved file has the title
//     board.draw(painter)                 calls painter(pen) in the next frame and whenever the
//                                         view or the size changes; the pen starts on a clear sheet
//     board.drawNow(painter)              the same at once, for who is inside a frame already
//     board.mark(name, box, look)         outlines a box [x1, y1, x2, y2], null takes the mark away;
//                                         look is a class: "hover", "pin", "rival", and " gone"
//     board.scale                         css pixels of one pixel of the photo
//     board.canvas, board.frames          the canvas, and how often it was drawn
//     board.remove()                      forgets the observers
//   pen.box(x1, y1, x2, y2, ink, width)   the edges of a box, inside it, `width` css pixels thick
//   pen.dot(x, y, ink, width)             a square dot; pen.pixels, .columns, .rows, .scaleX, .scaleY,
//                                         .left, .top, .ratio are there for loops of one's own:
//                                         device column = (x - left) * scaleX
//   inkOf("#E69F00", opacity)             a colour as the pen wants it
//   followSliders(names, onChange)        {iou: "nms-iou_threshold"} -> values(known) gives {iou: 0.69}
//                                         while the finger still moves; known = {iou: 0.7}, what the
//                                         server said, stays where a slider is missing or unmoved
//   inNextFrame(act)                      a function that asks for one call of `act` in the next frame
//   createTooltip(root)                   show(board, x, y, lines) at a place of the photo, hide()
//   makeElement(tag, className, parent)   a new element

function makeElement(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent?.append(element);
  return element;
}

function inNextFrame(act) {
  let asked = 0;
  return () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      act();
    });
  };
}

function createBoard(element, options = {}) {
  element.classList.add("rpn-board");
  element.tabIndex = 0;
  element.setAttribute("role", "application");
  const image = Object.assign(makeElement("img", "rpn-photo", element), { alt: "", draggable: false });
  const canvas = makeElement("canvas", "", element);
  const layer = makeElement("div", "rpn-marks", element);
  const reset = makeElement("button", "rpn-reset", element);
  const context = canvas.getContext("2d");
  const view = options.view ?? createView();
  const pen = new Pen();
  const marks = new Map(); // name -> {node, box}
  const photo = { width: 1, height: 1 };
  const size = { width: 0, height: 0 }; // css pixels; to ask for them in every frame would cost a layout
  let placed = "";

  const board = { element, canvas, view, photo, painter: null, frames: 0, scale: 1 };
  const paint = () => {
    if (!size.width || !size.height) return; // hidden: the observer calls again
    place();
    if (board.painter) {
      pen.fit(canvas, view, photo, devicePixelRatio || 1);
      board.painter(pen);
      context.putImageData(pen.image, 0, 0);
    }
    board.frames++;
  };
  // What depends on the view and the size alone.
  const place = () => {
    const { width, height } = size;
    const ratio = devicePixelRatio || 1;
    const now = [view.zoom, view.left, view.top, width, height, ratio, photo.width, photo.height].join();
    if (now === placed) return;
    placed = now;
    const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
    board.scale = (width * view.zoom) / photo.width;
    const [x, y] = [-view.left * width * view.zoom, -view.top * height * view.zoom];
    image.style.transform = `translate(${x}px, ${y}px) scale(${view.zoom})`;
    image.style.imageRendering = board.scale > 6 ? "pixelated" : "";
    reset.textContent = `${view.zoom.toFixed(1)} × · reset`;
    reset.hidden = view.zoom === 1;
    element.classList.toggle("zoomed", view.zoom > 1);
    for (const mark of marks.values()) placeMark(mark);
  };
  board.redraw = inNextFrame(paint);
  board.draw = (next) => {
    board.painter = next;
    board.redraw();
  };
  board.drawNow = (next) => {
    board.painter = next;
    paint();
  };
  board.setLabel = (title, more = "") => {
    board.title = title;
    element.setAttribute("aria-label", `${title}${more}`);
  };
  board.setPhoto = (url, width, height) => {
    if (width !== photo.width || height !== photo.height) {
      Object.assign(photo, { width, height });
      element.style.setProperty("--aspect", width / height);
      view.reset();
    }
    image.hidden = !url;
    if (url && image.getAttribute("src") !== url) image.src = url;
    board.redraw();
  };
  board.mark = (name, box, look = name) => {
    if (!box && !marks.get(name)?.box) return;
    const mark = marks.get(name) ?? { node: makeElement("div", "", layer) };
    marks.set(name, mark);
    mark.box = box;
    mark.node.className = look;
    placeMark(mark);
  };
  // Where a point of the photo lies on the board, css pixels, and back.
  board.toBoard = (x, y) => [(x / photo.width - view.left) * photo.width * board.scale, (y / photo.height - view.top) * photo.height * board.scale];
  board.toPhoto = (event) => {
    const [across, down] = shareOf(event);
    return [(view.left + across / view.zoom) * photo.width, (view.top + down / view.zoom) * photo.height];
  };
  board.remove = () => {
    observer.disconnect();
    view.boards.delete(board);
  };

  function placeMark({ node, box }) {
    node.hidden = !box;
    if (!box) return;
    const [left, top] = board.toBoard(box[0], box[1]);
    const [right, bottom] = board.toBoard(box[2], box[3]);
    node.style.transform = `translate(${left}px, ${top}px)`;
    node.style.width = `${Math.max(right - left, 1)}px`;
    node.style.height = `${Math.max(bottom - top, 1)}px`;
  }

  function shareOf(event) {
    const place = element.getBoundingClientRect();
    return [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height];
  }

  reset.addEventListener("click", () => view.reset());
  watchPointer(board, shareOf, options);
  watchKeys(board, options);
  offerFiles(board);
  view.boards.add(board);
  board.setLabel(options.label ?? "");
  const observer = new ResizeObserver(() => {
    Object.assign(size, { width: element.clientWidth, height: element.clientHeight });
    paint();
  });
  observer.observe(element);
  return board;
}

function createTooltip(root) {
  const node = makeElement("div", "rpn-tip", root);
  node.hidden = true;
  return {
    node,
    hide: () => node.hidden || (node.hidden = true),
    // Beside the place, on the side where there is room; the first line is the title.
    show(board, x, y, lines) {
      node.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
      node.hidden = false;
      const ground = root.getBoundingClientRect();
      const place = board.element.getBoundingClientRect();
      const [left, top] = board.toBoard(x, y);
      const at = [place.left - ground.left + left, place.top - ground.top + top];
      const room = innerHeight - ground.top; // down to the window's edge
      const across = at[0] + 16 + node.offsetWidth > ground.width ? at[0] - 16 - node.offsetWidth : at[0] + 16;
      const down = at[1] + 16 + node.offsetHeight > room ? at[1] - 16 - node.offsetHeight : at[1] + 16;
      node.style.transform = `translate(${Math.max(0, across)}px, ${Math.max(0, down)}px)`;
    },
  };
}
