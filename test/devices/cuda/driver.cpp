// Simulation of the part of the CUDA driver API that the device uses. The kernels are compiled for the CPU into the same
// library, which tests load through CUDA_DRIVER_LIBRARY. Memory of the "GPU" is memory of the process; new memory is full of
// NaN bits. `simulate` makes calls fail.
#include "kernels.cu"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

enum Result {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_FOUND = 500,
};

typedef void (*Kernel)(Args);

#define ENTRY(name) {#name, name}
const std::map<std::string, Kernel> KERNELS = {
    ENTRY(runRows), ENTRY(runTasks), ENTRY(sumGradients), ENTRY(axpy), ENTRY(xpby), ENTRY(scale), ENTRY(fill),
    ENTRY(multiplyVectors), ENTRY(multiplyByRatio), ENTRY(pick), ENTRY(replace), ENTRY(normalise), ENTRY(denormalise),
    ENTRY(adam), ENTRY(gae), ENTRY(dot), ENTRY(sum), ENTRY(countNotFinite), ENTRY(moments), ENTRY(extremes),
    ENTRY(solveStart), ENTRY(solveSlope), ENTRY(solveDirection), ENTRY(solveCurvature), ENTRY(solveAdvance),
    ENTRY(solveGain),
};

// Results of functions other than success, by name of the function. "driver" is the version, "devices" the number of GPUs.
std::map<std::string, int>& simulated() {
  static std::map<std::string, int> values;
  return values;
}

int answer(const char* function) {
  const auto found = simulated().find(function);
  return found == simulated().end() ? SUCCESS : found->second;
}

// Calls of each function.
std::map<std::string, long long>& called() {
  static std::map<std::string, long long> counts;
  return counts;
}

struct Launch {
  Kernel kernel;
  unsigned blocks;
  Args args;
};

// Work of a stream: launches and copies.
typedef std::function<int()> Work;
typedef std::vector<Work> Graph;

std::set<void*> allocations, hostAllocations;
int contexts = 0, graphs = 0;
Graph* capturing = nullptr;
long long launches = 0;

// Executes work, or records it during a capture.
int take(const Work& work) {
  if (!capturing) return work();
  capturing->push_back(work);
  return SUCCESS;
}

#if THREADS == 1
int runBlock(const Launch& launch) {
  threadIdx.x = 0;
  launch.kernel(launch.args);
  return SUCCESS;
}
#else
const int STACK = 1 << 18;
jmp_buf scheduler, fibers[THREADS];
ucontext_t starter, starts[THREADS];
bool started[THREADS], finished[THREADS];
int current = 0;
const Launch* running = nullptr;

// Yields to the scheduler. Jumps are many times as fast as ucontext's own switches, which make system calls.
void leave() {
  if (!_setjmp(fibers[current])) _longjmp(scheduler, 1);
}

void enter() {
  for (;;) {
    running->kernel(running->args);
    finished[current] = true;
    leave();
  }
}

void resume(int thread) {
  current = thread;
  threadIdx.x = thread;
  if (_setjmp(scheduler)) return;
  if (started[thread]) _longjmp(fibers[thread], 1);
  started[thread] = true;
  getcontext(&starts[thread]);
  starts[thread].uc_stack.ss_sp = malloc(STACK);
  starts[thread].uc_stack.ss_size = STACK;
  makecontext(&starts[thread], enter, 0);
  swapcontext(&starter, &starts[thread]);
}

// Threads take turns in an order that changes at each barrier. Results that depend on it reveal a missing barrier.
int runBlock(const Launch& launch) {
  running = &launch;
  for (int t = 0; t < THREADS; t++) finished[t] = false;
  for (int turn = answer("order");; turn++) {
    for (int i = 0; i < THREADS; i++) resume(turn % 2 ? i : THREADS - 1 - i);
    const int done = std::count(finished, finished + THREADS, true);
    if (done == THREADS) return SUCCESS;
    // Some threads wait at a barrier that other threads never reach.
    if (done > 0) return 719;
  }
}
#endif

int runLaunch(const Launch& launch) {
  launches++;
  gridDim.x = launch.blocks;
  for (unsigned b = 0; b < launch.blocks; b++) {
    blockIdx.x = b;
    if (const int code = runBlock(launch)) return code;
  }
  return SUCCESS;
}

}  // namespace

#if THREADS > 1
void __syncthreads() { leave(); }
#endif

#define ANSWER(name)                      \
  do {                                    \
    called()[#name]++;                    \
    const int code = answer(#name);       \
    if (code != SUCCESS) return code;     \
  } while (0)

extern "C" {

void simulate(const char* function, int value) { simulated()[function] = value; }
void simulateNothing() { simulated().clear(); }
long long countLaunches() { return launches; }
long long countCalls(const char* function) { return called()[function]; }
// Number of unreleased allocations, graphs and contexts.
int countHeld() { return allocations.size() + hostAllocations.size() + graphs + contexts; }

int cuInit(unsigned) {
  ANSWER(cuInit);
  return SUCCESS;
}

int cuDriverGetVersion(int* version) {
  *version = answer("driver") ? answer("driver") : 13000;
  return SUCCESS;
}

int cuGetErrorName(int error, const char** name) {
  *name = error == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_SIMULATED";
  return SUCCESS;
}

int cuDeviceGetCount(int* count) {
  ANSWER(cuDeviceGetCount);
  *count = simulated().count("devices") ? answer("devices") : 1;
  return SUCCESS;
}

int cuDeviceGet(int* device, int) {
  *device = 0;
  return SUCCESS;
}

int cuDeviceGetName(char* name, int length, int) {
  strncpy(name, "Simulated GPU", length);
  return SUCCESS;
}

int cuDeviceGetAttribute(int* value, int attribute, int) {
  // Compute capability.
  *value = attribute == 75 ? (answer("capability") ? answer("capability") : 8) : 0;
  return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void** context, int) {
  ANSWER(cuDevicePrimaryCtxRetain);
  *context = (void*)1;
  contexts++;
  return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) {
  contexts--;
  return SUCCESS;
}

int cuCtxSetCurrent(void*) { return SUCCESS; }

int cuModuleLoadDataEx(void** module, const void* image, unsigned count, int* options, void** values) {
  ANSWER(cuModuleLoadDataEx);
  *module = (void*)2;
  return image ? SUCCESS : INVALID_VALUE;
}

int cuModuleUnload(void*) { return SUCCESS; }

int cuModuleGetFunction(void** function, void*, const char* name) {
  const auto found = KERNELS.find(name);
  if (found == KERNELS.end()) return NOT_FOUND;
  *function = (void*)&*found;
  return SUCCESS;
}

int cuStreamCreate(void** stream, unsigned) {
  *stream = (void*)3;
  return SUCCESS;
}

int cuStreamDestroy_v2(void*) { return SUCCESS; }

int cuStreamSynchronize(void*) {
  ANSWER(cuStreamSynchronize);
  // Not allowed during a capture.
  if (capturing) return INVALID_VALUE;
  return SUCCESS;
}

int cuMemAlloc_v2(unsigned long long* pointer, size_t bytes) {
  ANSWER(cuMemAlloc_v2);
  void* memory = malloc(bytes);
  memset(memory, 0xff, bytes);
  allocations.insert(memory);
  *pointer = (unsigned long long)memory;
  return SUCCESS;
}

int cuMemFree_v2(unsigned long long pointer) {
  if (!allocations.erase((void*)pointer)) return INVALID_VALUE;
  free((void*)pointer);
  return SUCCESS;
}

int cuMemGetInfo_v2(size_t* free, size_t* total) {
  *free = 1 << 20;
  *total = 1 << 30;
  return SUCCESS;
}

int cuMemAllocHost_v2(void** pointer, size_t bytes) {
  ANSWER(cuMemAllocHost_v2);
  *pointer = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  hostAllocations.insert(*pointer);
  return SUCCESS;
}

int cuMemFreeHost(void* pointer) {
  if (!hostAllocations.erase(pointer)) return INVALID_VALUE;
  free(pointer);
  return SUCCESS;
}

int cuMemcpyHtoDAsync_v2(unsigned long long to, const void* from, size_t bytes, void*) {
  ANSWER(cuMemcpyHtoDAsync_v2);
  return take([=] {
    memcpy((void*)to, from, bytes);
    return SUCCESS;
  });
}

int cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, void*) {
  ANSWER(cuMemcpyDtoHAsync_v2);
  return take([=] {
    memcpy(to, (void*)from, bytes);
    return SUCCESS;
  });
}

int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, void*) {
  ANSWER(cuMemcpyDtoDAsync_v2);
  return take([=] {
    memmove((void*)to, (void*)from, bytes);
    return SUCCESS;
  });
}

int cuMemsetD8Async(unsigned long long to, unsigned char value, size_t bytes, void*) {
  ANSWER(cuMemsetD8Async);
  return take([=] {
    memset((void*)to, value, bytes);
    return SUCCESS;
  });
}

int cuLaunchKernel(void* function, unsigned blocks, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned,
                   void*, void** parameters, void**) {
  ANSWER(cuLaunchKernel);
  if (threads != 256 || blocks == 0) return INVALID_VALUE;
  const Launch launch = {((std::pair<const std::string, Kernel>*)function)->second, blocks, *(Args*)parameters[0]};
  return take([=] { return runLaunch(launch); });
}

int cuStreamBeginCapture_v2(void*, int) {
  if (capturing) return INVALID_VALUE;
  capturing = new Graph();
  return SUCCESS;
}

int cuStreamEndCapture(void*, void** graph) {
  if (!capturing) return INVALID_VALUE;
  *graph = capturing;
  capturing = nullptr;
  return SUCCESS;
}

int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
  *executable = new Graph(*(Graph*)graph);
  graphs++;
  return SUCCESS;
}

int cuGraphDestroy(void* graph) {
  delete (Graph*)graph;
  return SUCCESS;
}

int cuGraphExecDestroy(void* graph) {
  graphs--;
  delete (Graph*)graph;
  return SUCCESS;
}

int cuGraphLaunch(void* executable, void*) {
  ANSWER(cuGraphLaunch);
  for (const Work& work : *(Graph*)executable)
    if (const int code = work()) return code;
  return SUCCESS;
}
}
