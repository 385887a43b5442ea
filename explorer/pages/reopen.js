// A server that was started again, or a device that slept for long: the page is connected anew, but
// its session is gone, and with it the parts that sliders run. The page's address has all that was
// set, but for a file of the reader's own.
window.rpnReopen ??= new MutationObserver(async ([{ target }]) => {
  if (target.dataset.testConnectionState !== "CONNECTED") return;
  const { ahead } = document.querySelector("[data-ahead]").dataset;
  const asked = { method: "POST", body: JSON.stringify({ moved: {} }) };
  const answer = await fetch(`/taken/${ahead}`, asked).catch(() => null);
  if (answer?.headers.get("x-ahead") === "gone") location.reload();
});
window.rpnReopen.observe(document.body, {
  subtree: true,
  attributeFilter: ["data-test-connection-state"],
});
