/* Within the frame: asks the page around it who its visitor is, and begins a session with the answer. */
(() => {
  const { origins, session, refused } = document.querySelector("[data-origins]").dataset;
  const allowed = origins.split(" ");

  addEventListener("message", async (event) => {
    if (event.source !== parent || !allowed.includes(event.origin) || event.data?.earshot !== "token") return;
    const answer = await fetch(session, { method: "POST", body: new URLSearchParams({ token: event.data.token }) });
    if (answer.ok) location.reload();
    else document.getElementById("who").textContent = refused;
  });

  // Nothing secret is in the question; whoever is around the frame may hear it.
  parent.postMessage({ earshot: "who" }, "*");
})();
