import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The page itself is served at /graphql; what it loads, and nothing else, at /graphiql/.
export default defineConfig({
  base: '/graphiql/',
  plugins: [react()],
  worker: { format: 'es' },
  build: { chunkSizeWarningLimit: 10_000 },
});
