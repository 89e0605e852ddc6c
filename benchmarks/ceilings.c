// What this machine can do at most: fused multiply-adds in registers, a copy past the cache, a sum of what is in memory.
//   cc -O3 -march=native -pthread ceilings.c && ./a.out THREADS      prints "GFLOP/s  copy GB/s  read GB/s"
#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define WIDTH 16
typedef __m512 Vec;
#define FMA _mm512_fmadd_ps
#define SET1 _mm512_set1_ps
#define ADD _mm512_add_ps
#define LOAD _mm512_load_ps
#define STREAM _mm512_stream_ps
#elif defined(__FMA__)
#define WIDTH 8
typedef __m256 Vec;
#define FMA _mm256_fmadd_ps
#define SET1 _mm256_set1_ps
#define ADD _mm256_add_ps
#define LOAD _mm256_load_ps
#define STREAM _mm256_stream_ps
#else
#define WIDTH 4
typedef __m128 Vec;
#define FMA(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
#define SET1 _mm_set1_ps
#define ADD _mm_add_ps
#define LOAD _mm_load_ps
#define STREAM _mm_stream_ps
#endif

enum { CHAINS = 12, FMA_STEPS = 4 << 20, FLOATS = 16 << 20 };
static int threads;
static float *source, *target;
static volatile float sink;

typedef struct {
  int index, work;
} Job;

static void* run(void* p) {
  Job* job = p;
  int64_t share = FLOATS / threads, begin = job->index * share, end = begin + share;
  if (job->work == 0) {
    Vec acc[CHAINS], a = SET1(0.999f), b = SET1(0.001f);
    for (int i = 0; i < CHAINS; ++i) acc[i] = SET1((float)i);
    for (int64_t s = 0; s < FMA_STEPS; ++s)
      for (int i = 0; i < CHAINS; ++i) acc[i] = FMA(acc[i], a, b);
    float out[WIDTH] __attribute__((aligned(64)));
    for (int i = 1; i < CHAINS; ++i) acc[0] = ADD(acc[0], acc[i]);
    memcpy(out, &acc[0], sizeof out);
    sink = out[0];
  } else if (job->work == 1) {
    for (int64_t i = begin; i < end; i += WIDTH) STREAM(target + i, LOAD(source + i));
    _mm_sfence();
  } else {
    Vec acc[8];
    for (int i = 0; i < 8; ++i) acc[i] = SET1(0);
    for (int64_t i = begin; i < end; i += 8 * WIDTH)
      for (int k = 0; k < 8; ++k) acc[k] = ADD(acc[k], LOAD(source + i + k * WIDTH));
    float out[WIDTH] __attribute__((aligned(64)));
    for (int i = 1; i < 8; ++i) acc[0] = ADD(acc[0], acc[i]);
    memcpy(out, &acc[0], sizeof out);
    sink = out[0];
  }
  return 0;
}

static double best(int work, int rounds) {
  double fastest = 1e9;
  for (int r = 0; r < rounds; ++r) {
    pthread_t thread[64];
    Job job[64];
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int t = 0; t < threads; ++t) {
      job[t] = (Job){t, work};
      if (t) pthread_create(&thread[t], 0, run, &job[t]);
    }
    run(&job[0]);
    for (int t = 1; t < threads; ++t) pthread_join(thread[t], 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double s = (b.tv_sec - a.tv_sec) + 1e-9 * (b.tv_nsec - a.tv_nsec);
    if (s < fastest) fastest = s;
  }
  return fastest;
}

int main(int argc, char** argv) {
  threads = argc > 1 ? atoi(argv[1]) : 1;
  if (threads < 1 || threads > 64) return 1;
  source = aligned_alloc(64, sizeof(float) * FLOATS);
  target = aligned_alloc(64, sizeof(float) * FLOATS);
  memset(source, 0, sizeof(float) * FLOATS);
  memset(target, 0, sizeof(float) * FLOATS);
  double flops = 2.0 * WIDTH * CHAINS * FMA_STEPS * threads / best(0, 7);
  double copy = 2.0 * sizeof(float) * FLOATS / best(1, 15);
  double read = 1.0 * sizeof(float) * FLOATS / best(2, 15);
  printf("%.1f %.1f %.1f\n", flops * 1e-9, copy * 1e-9, read * 1e-9);
  return 0;
}
