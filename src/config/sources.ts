/** Sources of defaults. Names after a colon are those of the source. */
export const harl = (name: string): string => `HARL, configs/algos_cfgs: ${name}`
export const HARL_TRUST_REGION = 'HARL, utils/trpo_util.py'
export const HARL_OBSERVATIONS = 'HARL, envs/mamujoco/multiagent_mujoco/mujoco_multi.py'
export const HARL_TUNED = 'HARL, tuned_configs/mujoco'
/** Of the defaults that no publication has. */
export const OWN = 'this package'
export const ownPage = (page: string): string => `this package, docs/${page}`
