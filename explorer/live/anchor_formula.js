// Anchors from their formula, number for number as explorer/core has it (anchor_shapes.py,
// anchors.py, layout.py): float32 where that is float32. A test compares the two in a browser.
// `anchors` is the settings' group of that name; boxes are [x1, y1, x2, y2] in pixels.

const READABLE = 32; // crosses along the longer side; more of them hide the photo

function halfEven(x) {
  const near = Math.round(x);
  return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

// The anchors of one cell of a level, around (0, 0).
function cellShapes(anchors, level) {
  const centred = (width, height) => [-width / 2, -height / 2, width / 2, height / 2];
  if (anchors.pairs) {
    return anchors.pairs[level].map(([width, height]) => centred(width, height).map(Math.fround));
  }
  const corners = anchors.rounding === "corners";
  const narrow = corners ? Math.fround : (x) => x; // torchvision multiplies in float32
  const shape = (size, ratio) => {
    const tall = narrow(anchors.ratio === "w/h" ? 1 / narrow(ratio) : ratio); // height over width
    if (anchors.rounding === "base16") {
      const width = halfEven(Math.sqrt(256 / tall));
      const height = halfEven(width * tall);
      return centred((width * size) / 16, (height * size) / 16).map(Math.fround);
    }
    const root = narrow(Math.sqrt(tall));
    const box = centred(narrow(narrow(1 / root) * narrow(size)), narrow(root * narrow(size)));
    return box.map((side) => Math.fround(corners ? halfEven(side) : side));
  };
  return inOrder(anchors, level, shape);
}

// A number as a sentence shows it: at most six digits.
const short = (x) => `${Number(x.toPrecision(6))}`;

// What to call each anchor of a cell: its ratio, its size and ratio, or its sides.
function shapeNames(anchors, level) {
  if (anchors.pairs) return anchors.pairs[level].map(([w, h]) => `${short(w)} x ${short(h)}`);
  const several = anchors.sizes[level].length > 1;
  return inOrder(anchors, level, (size, ratio) => (several ? `${short(size)} at ${short(ratio)}` : short(ratio)));
}

// What `make` makes of each size and ratio of a level, in the order of the cell.
function inOrder({ order, sizes, ratios }, level, make) {
  if (order === "ratio outer") {
    return ratios.flatMap((ratio) => sizes[level].map((size) => make(size, ratio)));
  }
  return sizes[level].flatMap((size) => ratios.map((ratio) => make(size, ratio)));
}

// Every level's grid over a picture of [height, width] pixels.
function layLevels(anchors, [height, width]) {
  const first = Math.round(Math.log2(anchors.strides[0]));
  const whole = anchors.stride_rule === "image // grid";
  let start = 0;
  return anchors.strides.map((stride, place) => {
    const [rows, columns] = [Math.ceil(height / stride), Math.ceil(width / stride)];
    const perCell = anchors.pairs?.[place].length ?? anchors.sizes[place].length * anchors.ratios.length;
    const level = { place, name: `P${first + place}`, stride, rows, columns, perCell, start };
    level.strideY = whole ? Math.floor(height / rows) : stride;
    level.strideX = whole ? Math.floor(width / columns) : stride;
    level.count = rows * columns * perCell;
    start += level.count;
    return level;
  });
}

// Where row or column `place` has its centre.
function centreAt(place, stride, offset) {
  return Math.fround(Math.fround(place + Math.fround(offset)) * stride);
}

// Which n makes 'every n-th cell' readable: 1, 2, 4, ...
function cellStep({ rows, columns }) {
  let step = 1;
  while (Math.max(rows, columns) > READABLE * step) step *= 2;
  return step;
}

// The centres [x, y] of every `step`-th cell, row by row.
function centresOf(level, offset, step) {
  const centres = [];
  for (let row = 0; row < level.rows; row += step) {
    const y = centreAt(row, level.strideY, offset);
    for (let column = 0; column < level.columns; column += step) {
      centres.push([centreAt(column, level.strideX, offset), y]);
    }
  }
  return centres;
}

// The anchors of the cell in a row and column.
function anchorsAt(shapes, level, [row, column], offset) {
  const x = centreAt(column, level.strideX, offset);
  const y = centreAt(row, level.strideY, offset);
  return shapes.map(([x1, y1, x2, y2]) => [x1 + x, y1 + y, x2 + x, y2 + y].map(Math.fround));
}

// Level, row, column and number within the cell of an anchor; null where the grid has no such one.
function placeOf(levels, number) {
  const level = levels.find(({ start, count }) => number >= start && number < start + count);
  if (!level) return null;
  const cell = Math.floor((number - level.start) / level.perCell);
  const [row, column] = [Math.floor(cell / level.columns), cell % level.columns];
  return { level: level.place, row, column, shape: (number - level.start) % level.perCell };
}

// The settings as they will be when the finger lets go: `moved` holds sliders' values by their keys
// in explorer/pages/_levels.py, whose rules these are.
function withSliders(anchors, moved) {
  const cut = (x) => (Math.abs((x * 1e4) % 1) === 0.5 ? halfEven(x * 1e4) / 1e4 : Number(x.toFixed(4)));
  const changed = { ...anchors, strides: [...anchors.strides], sizes: [...anchors.sizes], ratios: [...anchors.ratios] };
  for (const [key, value] of Object.entries(moved)) {
    const [kind, place] = key.split(" ");
    if (key === "anchors.offset") changed.offset = value;
    else if (kind === "stride") changed.strides[place] = value;
    else if (kind === "ratio") changed.ratios[place] = value;
    else if (key === `size ${Number(place)}`) {
      const sizes = anchors.sizes[place];
      changed.sizes[place] = sizes.map((size) => cut(size * (value / sizes[0])));
    }
  }
  const { "size base": base, "size multiplier": multiplier } = moved;
  if (base !== undefined && multiplier !== undefined) {
    changed.sizes = anchors.sizes.map((sizes, level) =>
      sizes.map((size) => cut((base * multiplier ** level * size) / sizes[0])),
    );
  }
  return changed;
}
