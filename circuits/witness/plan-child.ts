// Process that derives the plan of a circuit and keeps it beside the .r1cs file named as its argument.

import { loadPlan } from './plan-file.ts'

loadPlan(process.argv[2]!)
