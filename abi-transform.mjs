// asc turns a transform's path in asconfig.json into a bare module name unless the file lies beside asconfig.json: this door does.
export { default } from './applets/lib/abi-transform.mjs'
