/** Learned rows of one radical: the content of a layer's block. Row ids ascend strictly; columns ascend strictly in each row. */
export interface RowBlock {
  readonly radical: number
  readonly rowIds: Uint32Array
  readonly tauPtr: Uint32Array
  readonly tauCols: Uint32Array
  readonly tauVals: Float32Array
  readonly rhoPtr: Uint32Array
  readonly rhoCols: Uint32Array
  readonly rhoVals: Float32Array
}
