/* Shows the board in a panel: <script src="https://…/roadmap/widget.js" data-label="Ideas" async></script>
   The app says who its visitor is by data-token, or by window.earshotToken, a function that gives a token or a promise
   of one. Without a token people read and cannot vote. Apps open the panel by window.earshotBoard.open(). */
(() => {
  const script = document.currentScript;
  const home = new URL(".", script.src);
  const frame = document.createElement("iframe");
  const panel = document.createElement("dialog");
  const close = document.createElement("button");
  const label = script.dataset.label || "Ideas";

  const token = async () => (window.earshotToken ? window.earshotToken() : script.dataset.token);

  frame.title = label;
  frame.style.cssText = "border:0;width:100%;height:100%;display:block";
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", script.dataset.close || "Close");
  close.style.cssText = "position:absolute;inset-block-start:8px;inset-inline-end:8px;inline-size:44px;block-size:44px;border:0;border-radius:8px;font:24px/1 sans-serif;background:#fff;color:#1c2430;cursor:pointer";
  close.addEventListener("click", () => panel.close());
  panel.setAttribute("aria-label", label);
  panel.style.cssText = "inset-block:0;inset-inline:auto 0;margin-block:0;margin-inline:auto 0;padding:0;border:0;width:min(26rem,100vw);height:100dvh;max-height:100dvh;background:#fff;box-shadow:0 0 40px #0004";
  panel.append(frame, close);

  addEventListener("message", async (event) => {
    if (event.origin !== home.origin || event.source !== frame.contentWindow || event.data?.earshot !== "who") return;
    const given = await token();
    if (given) frame.contentWindow.postMessage({ earshot: "token", token: given }, home.origin);
  });

  const open = () => {
    if (!panel.isConnected) document.body.append(panel);
    if (!frame.src) frame.src = new URL("widget", home).href;
    panel.showModal();
  };

  window.earshotBoard = { open, close: () => panel.close() };

  if (script.dataset.button !== "no") {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.style.cssText = "position:fixed;inset-block-end:16px;inset-inline-end:16px;z-index:2147483000;min-block-size:44px;padding:0 20px;border:0;border-radius:22px;font:600 16px/1 system-ui,sans-serif;background:#0b57a4;color:#fff;cursor:pointer";
    button.addEventListener("click", open);
    const add = () => document.body.append(button);
    document.body ? add() : addEventListener("DOMContentLoaded", add);
  }
})();
