// Shows times on the visitor's clock at the first visit too, unless the address names a zone or a form was sent.
"use strict";
const zones = document.querySelector("select[data-own-zone]");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = zones && [...zones.options].some((option) => option.value === own);
if (known && zones.value !== own && !new URLSearchParams(location.search).has("timezone")) {
  zones.value = own;
  zones.form.submit();
}
