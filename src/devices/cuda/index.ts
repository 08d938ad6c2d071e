export { CudaDevice } from './device.js'
export { missingDriver } from './driver.js'
