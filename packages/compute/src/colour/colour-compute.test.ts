import { testColourCompute } from './colour.compliance.ts'
import { InlineColourCompute } from './inline-colour-compute.ts'
import { openColourCompute } from './open-colour-compute.ts'

testColourCompute('one thread', () => openColourCompute({ threads: 1 }))
testColourCompute('three threads', () => openColourCompute({ threads: 3 }))
testColourCompute('on the calling thread', async () => new InlineColourCompute())
