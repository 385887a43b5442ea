// What Streamlit sends with each change: it would send the whole script of a component, tens of
// kilobytes, each time. So this part alone is sent, and fetches the rest, which a browser keeps.

let made = null;
const ready = import(new URL("{url}", location.origin)).then((script) => (made = script.default));

export default function (given) {
  let [gone, clean] = [false, null];
  const act = () => {
    if (!gone) clean = made(given);
  };
  if (made) act();
  else ready.then(act);
  return () => {
    gone = true;
    clean?.();
  };
}
