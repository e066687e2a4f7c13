// In the head and not deferred: a chosen theme must be there before the first paint. The default is the system's.
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* storage is blocked: the system's theme stays */ }
