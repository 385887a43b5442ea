// What the live boxes say of a candidate, named by its rank.

const HINT = "Point at a box to read it, click to pin it. The wheel zooms, dragging moves, double click resets.";

const count = new Intl.NumberFormat("en-US").format;

const boxOf = ({ data }, rank) => data.boxes.subarray(4 * rank, 4 * rank + 4);

// What became of a candidate, in words, and which box won over it.
function fateOf({ data, kept, result, values }, rank) {
  if (!result.entering.includes(rank)) return { words: `under the score threshold of ${values.score}` };
  if (!kept[rank]) {
    const winner = winnerOver(data, kept, rank, values.iou);
    return { words: winner && `suppressed by #${count(winner.rank + 1)} at IoU ${winner.iou.toFixed(3)}`, winner };
  }
  const place = result.survivors.indexOf(rank);
  if (place < values.cap) return { words: `proposal ${count(place + 1)} of ${count(result.proposals.length)}`, kept: true };
  return { words: `survives as ${count(place + 1)}, but the cap of ${count(values.cap)} cuts it` };
}

function linesOf(state, rank) {
  const { data, head } = state;
  const anchor = data.anchors[rank];
  const level = data.levels[rank];
  const inLevel = anchor - head.starts[level];
  const cell = Math.floor(inLevel / head.perCell[level]);
  const [row, column] = [Math.floor(cell / head.columns[level]), cell % head.columns[level]];
  const [x1, y1, x2, y2] = boxOf(state, rank);
  return [
    `#${count(rank + 1)} of ${count(data.scores.length)}, score ${data.scores[rank].toFixed(4)}`,
    `${head.levelNames[level]}, row ${row}, column ${column}, shape ${head.shapeNames[level][inLevel % head.perCell[level]]}`,
    `${Math.round(x2 - x1)} × ${Math.round(y2 - y1)} px`,
    fateOf(state, rank).words,
  ];
}

function storyOf(state, pinned) {
  if (state.pinned < 0) return HINT;
  if (pinned < 0) return `The pinned box, of anchor ${count(state.pinned)}, is not among these candidates.`;
  return `Pinned: ${linesOf(state, pinned).join(" · ")}`;
}
