// Colours, and the pen of a live canvas: see board.js.

const LONG = 16; // pixels of a row from which on the array's own fill is faster than a loop

// ImageData holds red, green, blue, alpha: on every machine of today red is the lowest byte.
function inkOf(hex, opacity = 1) {
  const value = parseInt(hex.slice(1), 16);
  const [red, green, blue] = [value >> 16, (value >> 8) & 255, value & 255];
  return ((Math.round(opacity * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

// Draws into the pixels themselves: thousands of strokeRect take 150 ms where there is no GPU.
class Pen {
  fit(canvas, view, photo, ratio) {
    const { width: columns, height: rows } = canvas;
    if (this.columns !== columns || this.rows !== rows) {
      this.image = new ImageData(columns, rows);
      this.pixels = new Uint32Array(this.image.data.buffer);
    } else {
      this.pixels.fill(0);
    }
    this.aim({ columns, rows }, view, photo, ratio);
  }

  // Which part of the photo a sheet of so many pixels shows.
  aim({ columns, rows }, view, photo, ratio) {
    Object.assign(this, { columns, rows, ratio });
    this.scaleX = (columns * view.zoom) / photo.width;
    this.scaleY = (rows * view.zoom) / photo.height;
    this.left = view.left * photo.width;
    this.top = view.top * photo.height;
  }

  box(x1, y1, x2, y2, ink, width = 1) {
    const line = Math.max(1, Math.round(width * this.ratio));
    const left = Math.round((x1 - this.left) * this.scaleX);
    const top = Math.round((y1 - this.top) * this.scaleY);
    const right = Math.max(Math.round((x2 - this.left) * this.scaleX), left + line);
    const bottom = Math.max(Math.round((y2 - this.top) * this.scaleY), top + line);
    if (right <= 0 || bottom <= 0 || left >= this.columns || top >= this.rows) return;
    this.fill(left, top, right, top + line, ink);
    this.fill(left, bottom - line, right, bottom, ink);
    this.fill(left, top + line, left + line, bottom - line, ink);
    this.fill(right - line, top + line, right, bottom - line, ink);
  }

  dot(x, y, ink, width = 1) {
    const side = Math.max(1, Math.round(width * this.ratio));
    const left = Math.round((x - this.left) * this.scaleX - side / 2);
    const top = Math.round((y - this.top) * this.scaleY - side / 2);
    this.fill(left, top, left + side, top + side, ink);
  }

  // A rectangle of device pixels, cut at the canvas.
  fill(left, top, right, bottom, ink) {
    const { pixels, columns } = this;
    const [from, to] = [Math.max(left, 0), Math.min(right, columns)];
    const [first, end] = [Math.max(top, 0) * columns, Math.min(bottom, this.rows) * columns];
    if (to - from > LONG) {
      for (let row = first; row < end; row += columns) pixels.fill(ink, row + from, row + to);
    } else {
      for (let column = from; column < to; column++) {
        for (let at = first + column; at < end; at += columns) pixels[at] = ink;
      }
    }
  }
}
