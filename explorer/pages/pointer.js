// Once a step (MOMENT): open the tab in which something lies, and bring it into view.
(async () => {
  const find = () =>
    [...document.querySelectorAll(SELECTOR)].find((each) => each.getClientRects().length);
  const pause = () => new Promise((go) => setTimeout(go, 100));
  const app = document.querySelector("[data-testid=stApp]");
  // This runs while the page below is still being drawn: it waits until that has been still.
  for (let still = 0, i = 0; !find() && still < 8 && i < 300; i += 1) {
    await pause();
    still = app?.dataset.testScriptState === "notRunning" ? still + 1 : 0;
  }
  for (const tab of document.querySelectorAll("[role=tab][aria-selected=false]")) {
    if (find() || SELECTOR.includes("stSidebar")) break;
    tab.click();
    await pause();
  }
  const control = find();
  if (!control) return;
  const panel = document
    .querySelector(".st-key-lesson:not(:empty), .st-key-tour:not(:empty)")
    ?.getBoundingClientRect();
  const place = control.getBoundingClientRect();
  const top = control.closest("[data-testid=stSidebar]") ? 0 : (panel?.bottom ?? 0);
  // On a phone the picture stays above the sliders: what is under it comes to the lower edge.
  const phone = innerWidth <= 640;
  if (phone || place.top < top || place.bottom > innerHeight) {
    control.scrollIntoView({ block: phone ? "end" : "center", behavior: "smooth" });
  }
})();
