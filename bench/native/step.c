// The physics of an environment's steps on native libmujoco, for bench/environments.ts: the same episodes, step by step.
//   step MODEL.xml EPISODES
// EPISODES holds doubles: frames a step, steps a block, episodes; then of each episode its blocks, qpos [nq], qvel [nv]
// and the controls of each block [blocks, nu]. For every line on standard input, runs all episodes once and prints one
// line of JSON: microseconds of CPU time a step, of every block, and what the blocks ended with, on average.
#include <mujoco/mujoco.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double* input;
static size_t input_size;
static size_t position;

// Stops with one line on standard error.
static void fail(const char* what, const char* detail) {
  fprintf(stderr, "%s: %s\n", what, detail);
  exit(1);
}

// The next `count` numbers of the input.
static const double* take(size_t count) {
  if (input_size - position < count) fail("episodes", "the file is too short");
  position += count;
  return input + position - count;
}

static void read_input(const char* path) {
  FILE* file = fopen(path, "rb");
  if (!file) fail(path, "cannot be read");
  fseek(file, 0, SEEK_END);
  input_size = (size_t)ftell(file) / sizeof(double);
  rewind(file);
  input = malloc(input_size * sizeof(double));
  if (!input || fread(input, sizeof(double), input_size, file) != input_size) fail(path, "cannot be read");
  fclose(file);
}

// Microseconds of CPU time of this process.
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1e6 + time.tv_nsec * 1e-3;
}

// Runs all episodes and prints their line.
static void run_round(const mjModel* model, mjData* data) {
  double contacts = 0, constraints = 0, iterations = 0, total = 0;
  position = 0;
  const int frames = (int)*take(1);
  const int block_steps = (int)*take(1);
  const int episodes = (int)*take(1);
  printf("{\"us\":[");
  for (int episode = 0; episode < episodes; episode++) {
    const int blocks = (int)*take(1);
    mj_resetData(model, data);
    memcpy(data->qpos, take(model->nq), model->nq * sizeof(double));
    memcpy(data->qvel, take(model->nv), model->nv * sizeof(double));
    for (int block = 0; block < blocks; block++) {
      memcpy(data->ctrl, take(model->nu), model->nu * sizeof(double));
      const double start = now();
      for (int frame = 0; frame < block_steps * frames; frame++) mj_step(model, data);
      const double elapsed = now() - start;
      printf("%s%.4f", total > 0 ? "," : "", elapsed / block_steps);
      contacts += data->ncon;
      constraints += data->nefc;
      iterations += data->solver_iter;
      total++;
    }
    // MuJoCo starts an episode that goes bad again, at rest, which is other work.
    if (data->warning[mjWARN_BADQACC].number || data->warning[mjWARN_BADQPOS].number) fail("episode", "it went bad");
  }
  printf("],\"contacts\":%.3f,\"constraints\":%.3f,\"iterations\":%.3f}\n", contacts / total, constraints / total,
         iterations / total);
  fflush(stdout);
}

int main(int count, char** arguments) {
  if (count != 3) fail("usage", "step MODEL.xml EPISODES");
  char error[1000];
  mjModel* model = mj_loadXML(arguments[1], NULL, error, sizeof error);
  if (!model) fail(arguments[1], error);
  mjData* data = mj_makeData(model);
  read_input(arguments[2]);
  printf("{\"version\":\"%s\"}\n", mj_versionString());
  fflush(stdout);
  for (int c = getchar(); c != EOF; c = getchar()) {
    if (c == '\n') run_round(model, data);
  }
  free(input);
  mj_deleteData(data);
  mj_deleteModel(model);
  return 0;
}
