import { defineConfig } from 'vite';
import { noncePlaceholder } from './build-options.ts';

export default defineConfig({
  root: import.meta.dirname,
  // Settings files and environment variables of the machine must not find their way into what browsers get.
  envDir: false,
  html: { cspNonce: noncePlaceholder },
  build: {
    target: 'es2022',
    // A data: address would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    reportCompressedSize: false,
    rolldownOptions: {
      onLog(level, log, report) {
        // "use client" is for frameworks that render on a server.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
      },
    },
  },
});
