// The Anchors page's table: how many anchors there are, in all and level by level.

function tableOf({ levels, level, total }, { colours, strides }) {
  const made = levels.map(({ stride }) => !strides.includes(stride));
  const row = ({ place, name, stride, rows, columns, count }) => `
    <tr class="${place === level.place ? "shown" : ""}">
      <td><i style="background:${pickFrom(colours.levels, place)}"></i>${name}</td>
      <td>${stride}${made[place] ? " *" : ""}</td><td>${rows} x ${columns}</td>
      <td>${grouped(count)}</td><td>${((100 * count) / total).toFixed(1)}%</td>
    </tr>`;
  const note = "<caption>* No network has a feature map at this stride: the nearest level is resampled.</caption>";
  const head = ["level", "stride", "grid", "anchors", "share"].map((name) => `<th>${name}</th>`).join("");
  return `<div>Anchors in all</div><b class="total">${grouped(total)}</b>
    <table class="levels">${made.includes(true) ? note : ""}<tr>${head}</tr>${levels.map(row).join("")}</table>`;
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".rpn-anchors");
  const state = stateOf(root, (made) => {
    made.redraw = () => put(root, tableOf(lay(made), made.data));
  });
  state.data = data;
  state.settle();
  return whenGone(state);
}
