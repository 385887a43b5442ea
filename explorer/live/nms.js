// Greedy NMS as explorer/core/nms.py has it, decision for decision: IoU in float32, compared with the
// largest float32 that is not above the threshold; boxes stand best first, so that their place is
// their rank; a box without a positive finite area meets nothing; groups never meet.
//
// `field` is {boxes: Float32Array (4 a box), areas, groups: Uint8Array or null}.

function float32Floor(threshold) {
  const nearest = new Float32Array([threshold]);
  if (nearest[0] > threshold) new Uint32Array(nearest.buffer)[0] -= 1; // the next one towards 0
  return nearest[0];
}

function areasOf(boxes) {
  const areas = new Float32Array(boxes.length / 4);
  for (let i = 0; i < areas.length; i++) {
    const at = 4 * i;
    const width = Math.fround(boxes[at + 2] - boxes[at]);
    const area = Math.fround(width * Math.fround(boxes[at + 3] - boxes[at + 1]));
    areas[i] = width > 0 && area > 0 && area < Infinity ? area : 0; // 0: it meets nothing
  }
  return areas;
}

// IoU of two boxes by rank, rounded at every step as float32 is; 0 or less where they miss.
function iouOf({ boxes, areas }, i, j) {
  const a = 4 * i;
  const b = 4 * j;
  const width = Math.fround(Math.min(boxes[a + 2], boxes[b + 2]) - Math.max(boxes[a], boxes[b]));
  const height = Math.fround(Math.min(boxes[a + 3], boxes[b + 3]) - Math.max(boxes[a + 1], boxes[b + 1]));
  if (!(width > 0 && height > 0)) return 0;
  const inter = Math.fround(width * height);
  return Math.fround(inter / Math.fround(Math.fround(areas[i] + areas[j]) - inter));
}

// Every pair with IoU over `floor`, as runs of losers by winner, in falling 64ths of IoU. The floor is
// 0 unless more than `most` pairs overlap: then it rises, and `suppress` does without pairs under it.
// Runs in a worker, so it stands on `iouOf` alone.
function findPairs(field, most) {
  const { boxes, areas, groups } = field;
  const count = areas.length;
  const bucketOf = (iou) => Math.min(Math.floor(iou * 64), 63);
  let winner = new Uint16Array(1 << 16);
  let loser = new Uint16Array(1 << 16);
  let iou = new Float32Array(1 << 16);
  let [found, floor] = [0, 0];
  const inBucket = new Uint32Array(64);

  const push = (better, worse, overlap) => {
    winner[found] = better;
    loser[found] = worse;
    iou[found++] = overlap;
    inBucket[bucketOf(overlap)]++;
  };
  const longer = (old) => {
    const copy = new old.constructor(Math.min(2 * old.length, most));
    copy.set(old);
    return copy;
  };
  const raiseFloor = () => {
    let [bucket, left] = [64, 0];
    while (bucket > 0 && left + inBucket[bucket - 1] <= most / 2) left += inBucket[--bucket];
    floor = bucket / 64;
    const all = found;
    found = 0;
    inBucket.fill(0);
    for (let at = 0; at < all; at++) {
      if (iou[at] > floor) push(winner[at], loser[at], iou[at]);
    }
  };
  const sweep = (members) => {
    members.sort((i, j) => boxes[4 * i] - boxes[4 * j]);
    for (let first = 0; first < members.length; first++) {
      const i = members[first];
      const [right, top, bottom] = [boxes[4 * i + 2], boxes[4 * i + 1], boxes[4 * i + 3]];
      for (let second = first + 1; second < members.length; second++) {
        const j = members[second];
        if (boxes[4 * j] >= right) break;
        if (boxes[4 * j + 1] >= bottom || boxes[4 * j + 3] <= top) continue;
        const overlap = iouOf(field, i, j);
        if (!(overlap > floor)) continue;
        if (found === most) raiseFloor();
        if (found === iou.length) [winner, loser, iou] = [winner, loser, iou].map(longer);
        push(Math.min(i, j), Math.max(i, j), overlap);
      }
    }
  };
  const byGroup = new Map();
  for (let i = 0; i < count; i++) {
    if (!areas[i]) continue;
    const group = groups ? groups[i] : 0;
    if (!byGroup.has(group)) byGroup.set(group, []);
    byGroup.get(group).push(i);
  }
  for (const members of byGroup.values()) sweep(Uint16Array.from(members));

  // Two stable counting sorts: by falling bucket, then by winner.
  const order = new Uint32Array(found);
  const place = new Uint32Array(64);
  for (let bucket = 62; bucket >= 0; bucket--) place[bucket] = place[bucket + 1] + inBucket[bucket + 1];
  for (let at = 0; at < found; at++) order[place[bucketOf(iou[at])]++] = at;
  const starts = new Uint32Array(count + 1);
  for (let at = 0; at < found; at++) starts[winner[at] + 1]++;
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i];
  const next = starts.slice();
  const pairs = { floor, starts, losers: new Uint16Array(found), ious: new Float32Array(found) };
  for (const at of order) {
    const slot = next[winner[at]]++;
    pairs.losers[slot] = loser[at];
    pairs.ious[slot] = iou[at];
  }
  return pairs;
}

// Who survives: 1 for each kept box. Without pairs, or under their floor, each winner meets what is
// left of the others directly: as exact, and slower.
function suppress(field, pairs, threshold) {
  const limit = float32Floor(threshold);
  const kept = new Uint8Array(field.areas.length).fill(1);
  if (!pairs || limit < pairs.floor) return suppressDirectly(field, limit, kept);
  const { starts, losers, ious } = pairs;
  const least = Math.floor(limit * 64) / 64; // a smaller IoU ends the run: those after it are too small
  for (let i = 0; i < kept.length; i++) {
    if (!kept[i]) continue;
    for (let at = starts[i], end = starts[i + 1]; at < end && ious[at] >= least; at++) {
      if (ious[at] > limit) kept[losers[at]] = 0;
    }
  }
  return kept;
}

function suppressDirectly(field, limit, kept) {
  const { areas, groups } = field;
  const left = Uint16Array.from(areas.keys()).filter((i) => areas[i]);
  let count = left.length;
  for (let first = 0; first < count; first++) {
    let stay = first + 1;
    for (let at = first + 1; at < count; at++) {
      const meet = !groups || groups[left[first]] === groups[left[at]];
      if (meet && iouOf(field, left[first], left[at]) > limit) kept[left[at]] = 0;
      else left[stay++] = left[at];
    }
    count = stay;
  }
  return kept;
}

// The kept box that a suppressed one lost to: the best-ranked that overlaps it over the threshold.
function winnerOver(field, kept, rank, threshold) {
  const limit = float32Floor(threshold);
  if (!field.areas[rank]) return null;
  for (let i = 0; i < rank; i++) {
    if (!kept[i] || !field.areas[i] || (field.groups && field.groups[i] !== field.groups[rank])) continue;
    const iou = iouOf(field, i, rank);
    if (iou > limit) return { rank: i, iou };
  }
  return null;
}

// What the thresholds leave: the ranks that enter NMS, and those that survive it, best first. A box
// under the score threshold ranks after all others and suppresses none of them, so that `kept` needs
// no score; a NaN score is not low.
function filterBoxes(scores, kept, scoreThreshold) {
  const low = Math.fround(scoreThreshold);
  const entering = new Uint16Array(scores.length);
  const survivors = new Uint16Array(scores.length);
  let [reached, survived] = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] < low) continue;
    entering[reached++] = i;
    if (kept[i]) survivors[survived++] = i;
  }
  return { entering: entering.subarray(0, reached), survivors: survivors.subarray(0, survived) };
}
