// Not deferred: at a first visit the page is asked for again on the visitor's clock, before anything of it is shown.
"use strict";
(() => {
  const known = `zone=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}`;
  const told = () => document.cookie.split("; ").includes(known);
  if (told() || new URLSearchParams(location.search).has("timezone")) return;
  document.cookie = `${known}; path=/; max-age=31536000; samesite=lax`;
  if (told()) location.reload();
})();
