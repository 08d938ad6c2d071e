// All kernels of the device, compiled together by `npm run build:cuda`.
#include "program.h"
#include "solve.h"
