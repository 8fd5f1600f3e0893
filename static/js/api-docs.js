// Swagger UI over our own OpenAPI document. Calls of somebody signed in by session carry the CSRF token.
"use strict";

const place = document.getElementById("swagger-ui");

window.ui = SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const isOurs = new URL(request.url, document.baseURI).origin === location.origin;
    if (isOurs && !["GET", "HEAD"].includes((request.method || "GET").toUpperCase())) {
      request.headers[place.dataset.csrfHeader] = place.dataset.csrfToken;
    }
    return request;
  },
});
