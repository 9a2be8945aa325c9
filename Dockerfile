# A tag, so that each build gets the latest fixes. SECURITY.md explains how to pin a digest.
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY release ./release
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts && chmod +x dist/main.js

FROM ${NODE_IMAGE}
# SQLite uses a temporary file to sort data that does not fit into memory. In a read-only container only /data is writable.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data \
    SQLITE_TMPDIR=/data
WORKDIR /app
# Package managers are not needed at run time.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && mkdir /data && chown node:node /data && ln -s /app/dist/main.js /usr/local/bin/tierhook
COPY docker/health /usr/local/bin/tierhook-health
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
VOLUME /data
# Webhooks, and the operator's listener. The latter needs ADMIN_HOST and ADMIN_TOKEN to be reachable from outside of the container.
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["tierhook-health"]
CMD ["node", "/app/dist/main.js", "serve"]
# Last, because they change with each build, and the layers above stay cached.
ARG NODE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="tierhook" \
      org.opencontainers.image.description="Receives Voucherify loyalty tier webhooks, keeps them on disk, and forwards them" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${NODE_IMAGE}"
