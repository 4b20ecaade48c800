/**
 * asc transform: writes the custom section `attestream.abi` (docs/architecture.md §3) into every applet.
 *
 * Promises: the section says what asc compiled (types and byte offsets are taken from the laid out classes, not from the source text),
 * its bytes depend on the source alone, and what the section cannot say is a diagnostic at the line that caused it.
 * Leaves to others: reading the section (engine/core/applet.ts) and refusing instructions (engine/runner, circuits/compiler).
 */
import { Transform } from 'assemblyscript/transform'

const ABI_VERSION = 1
const SECTION = 'attestream.abi'
const RECORD_BYTES_MAX = 1024
const UNITS_PER_FRAME_LIMIT = 2n ** 38n
/** DiagnosticCode.User_defined_0 and SourceKind.UserEntry of assemblyscript 0.28. */
const DIAGNOSTIC_USER = 102
const SOURCE_USER_ENTRY = 1

const WIDTHS = { bool: 1, u8: 8, i8: 8, u16: 16, i16: 16, u32: 32, i32: 32, u64: 64, i64: 64 }
const RECORDS = ['Reading', 'State', 'Config', 'Context']

export default class AbiTransform extends Transform {
  afterCompile(module) {
    const entry = this.entryFile()
    if (!entry) return
    const verify = this.verifyFunction(entry)
    this.checkMaxUnits(entry, module)
    if (!verify) return
    const classes = this.recordClasses(verify)
    if (!classes) return
    const abi = { abi: ABI_VERSION, parameters: classes.map((c) => c.prototype.name.toLowerCase()) }
    for (const name of ['Reading', 'State', 'Config']) {
      const record = classes.find((c) => c.prototype.name === name)
      abi[name.toLowerCase()] = record ? this.fields(record) : []
    }
    module.addCustomSection(SECTION, new TextEncoder().encode(JSON.stringify(abi)))
  }

  fail(node, message) {
    this.program.error(DIAGNOSTIC_USER, node.range, message)
    return null
  }

  /** asc counts its runtime among the user's entries; its path starts with `~lib/`. */
  entryFile() {
    const entries = this.program.sources.filter(
      (source) => source.sourceKind === SOURCE_USER_ENTRY && !source.internalPath.startsWith('~lib/'),
    )
    if (entries.length === 1) return this.program.filesByName.get(entries[0].internalPath)
    return this.fail(
      entries[0] ?? this.program.sources[0],
      `An applet is one entry file; asc was given ${entries.length}`,
    )
  }

  verifyFunction(entry) {
    const prototype = entry.lookupExport('verify')
    const instance = prototype?.instances && [...prototype.instances.values()][0]
    if (!instance) {
      return this.fail(
        entry.source,
        'An applet exports `function verify(reading: Reading, …): u32`; no such function was found',
      )
    }
    const returns = instance.signature.returnType.toString()
    if (returns === 'u32') return instance
    return this.fail(instance.declaration, `verify returns the units of a reading as u32, not ${returns}`)
  }

  checkMaxUnits(entry, module) {
    const constant = entry.lookupExport('maxUnitsPerFrame')
    const node = constant?.declaration ?? entry.source
    const units = constant?.type?.toString() === 'u64' ? this.constantValue(constant, module) : null
    if (units === null) return this.fail(node, 'An applet exports `const maxUnitsPerFrame: u64 = …`, a constant')
    if (units >= 1n && units < UNITS_PER_FRAME_LIMIT) return
    this.fail(node, `maxUnitsPerFrame is at least 1 and below 2^38; it is ${units}`)
  }

  constantValue(constant, module) {
    const { init, mutable } = this.binaryen.getGlobalInfo(module.getGlobal(constant.internalName))
    const expression = this.binaryen.getExpressionInfo(init)
    if (mutable || expression.id !== this.binaryen.ConstId) return null
    const { value } = expression
    return typeof value === 'bigint'
      ? BigInt.asUintN(64, value)
      : (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0)
  }

  recordClasses(verify) {
    const classes = verify.signature.parameterTypes.map((type) => type.classReference)
    const names = classes.map((c) => c?.prototype.name)
    const wrong = names.findIndex((name, i) => !RECORDS.includes(name) || names.indexOf(name) !== i)
    if (wrong >= 0) {
      const shown = verify.signature.parameterTypes[wrong].toString()
      return this.fail(
        verify.declaration,
        `verify takes Reading, State, Config and Context, each at most once; parameter ${wrong + 1} is ${shown}`,
      )
    }
    if (names[0] !== 'Reading') return this.fail(verify.declaration, 'The first parameter of verify is the Reading')
    if (classes.some((c) => !this.checkClass(c))) return null
    return classes
  }

  checkClass(record) {
    const { name } = record.prototype
    const node = record.prototype.declaration
    if (record.type.isManaged) {
      this.fail(node, `${name} is a plain record: write \`@unmanaged class ${name}\``)
      return false
    }
    if (record.nextMemoryOffset > RECORD_BYTES_MAX) {
      this.fail(node, `${name} takes ${record.nextMemoryOffset} bytes; a record has at most ${RECORD_BYTES_MAX}`)
      return false
    }
    const fields = this.fields(record)
    if (
      name === 'Context' &&
      JSON.stringify(fields) !== '[{"name":"anchorTimeSec","type":"u64","bits":64,"offset":0}]'
    ) {
      this.fail(node, 'Context is exactly `{ anchorTimeSec: u64 }`: the chain sets it')
      return false
    }
    if (this.members(record).length === 0) {
      this.fail(node, `${name} has no fields; leave the class and its parameter out`)
      return false
    }
    return true
  }

  members(record) {
    return [...(record.members?.values() ?? [])].filter((member) => member.fieldDeclaration)
  }

  fields(record) {
    return this.members(record)
      .map((member) => this.field(record, member))
      .filter((field) => field !== null)
      .sort((a, b) => a.offset - b.offset)
  }

  field(record, member) {
    const { name, fieldDeclaration, instance } = member
    const type = instance.type.toString()
    const width = WIDTHS[type]
    if (width === undefined) {
      return this.fail(
        fieldDeclaration,
        `${record.prototype.name}.${name}: ${type} is not a field type; use ${Object.keys(WIDTHS).join(' ')}. ${this.fieldAdvice(instance.type)}`,
      )
    }
    const decorators = (fieldDeclaration.decorators ?? []).filter((d) => d.name.text === 'bits')
    const bits = decorators.length === 0 ? width : this.declaredBits(decorators)
    const least = type.startsWith('i') ? 2 : 1
    if (bits === null || bits < least || bits > width) {
      return this.fail(
        fieldDeclaration,
        `${record.prototype.name}.${name}: one @bits(n) with a literal n from ${least} to ${width}, the width of ${type}`,
      )
    }
    return { name, type, bits, offset: instance.memoryOffset }
  }

  fieldAdvice(type) {
    if (type.isFloatValue) return 'For fractions take a smaller unit or fixed point (lib/fixed16)'
    const name = type.classReference?.prototype.name ?? ''
    if (name === 'String') return 'Give each text a number'
    if (/Array/.test(name))
      return 'Write the items as fields of one type, one after the other; lib/items reads them by index'
    return 'Write its fields out in the record itself'
  }

  declaredBits(decorators) {
    const argument = decorators[0].args?.[0]
    const literal = argument && 'literalKind' in argument && /^\d+$/.test(String(argument.value))
    return decorators.length === 1 && decorators[0].args.length === 1 && literal ? Number(String(argument.value)) : null
  }
}
