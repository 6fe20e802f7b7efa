# syntax=docker/dockerfile:1
# One image for every service: the command chooses the app, `node dist/apps/<app>/src/main.js`, as the tests start it.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json nest-cli.json ./
COPY tools tools
COPY proto proto
COPY libs libs
COPY apps apps
RUN npm run build

# --omit=optional: the base image brings Node, and nothing at run time needs a platform binary.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM node:24-slim
ENV NODE_ENV=production DATA_DIR=/data
WORKDIR /app
# The only directory that a service writes to, and only with the embedded log: everything else may be read-only.
RUN install -d -o 1000 -g 1000 /data
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist/apps dist/apps
COPY --from=build /app/dist/libs dist/libs
COPY --from=build /app/dist/proto dist/proto
COPY mappings mappings
# The image's own user `node`, by number: Kubernetes cannot tell that a name is not root.
USER 1000:1000
CMD ["node", "dist/apps/standalone/src/main.js"]
